"""``lrtune schema``."""

from __future__ import annotations

import sys


def schema() -> None:
    """Print the JSON Schema of experiment files.

    Editors complete and check a file with it.

    Example: lrtune schema > lrtune.schema.json
    """
    from lrtune import experiment
    from lrtune.reporting import export

    sys.stdout.write(export.json_text(experiment.schema()))
