"""The one thing that pyproject.toml cannot say: on an index page the README's links lead to the tag of the release.

In the repository they are relative, so that they hold in every clone, branch and fork. setuptools takes the description
from here because ``readme`` is among the ``dynamic`` fields.
"""

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RELATIVE = re.compile(r"(!?)(\[[^\]]*\]\()(?!https?:|#)")
KINDS = {"!": "raw", "": "blob"}  # a picture is the file itself, anything else the page about it


def absolute(link: re.Match[str]) -> str:
    """Lead the beginning of a link to the tag of the release."""
    return f"{link[0]}{PROJECT['urls']['Source']}/{KINDS[link[1]]}/v{PROJECT['version']}/"


setup(
    long_description=RELATIVE.sub(absolute, README),
    long_description_content_type="text/markdown",
)
