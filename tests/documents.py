"""The code blocks of README and docs, run in their order in a folder that holds what a clone holds.

`sh` are commands; `console` shows what each prints after it, where `[...]` stands for lines that are left out; `python` is
a program; a block whose first line is a comment with the name of a file is that file. What is not run says so in a comment
above the block, which no reader sees: `<!-- not run: why -->`. A command that shall fail has `<!-- exits with 2 -->`.

`python tests/documents.py README.md docs/tutorial.md` runs all blocks and puts into the documents what their commands print
now, and into docs/images the pictures that they draw.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
IN_A_CLONE = ("configs", "datasets", "examples")
LEFT_OUT = "[...]"
BLOCK = re.compile(r"^(?:<!-- ([^\n]*) -->\n)?```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"# ([\w/-]+\.(?:yaml|py))\n")
TIME = re.compile(r"\b\d[\d.,]*\s?(?:ms|s|min|m|h)\b")


@dataclass(frozen=True)
class Block:
    """A code block of a document, with the comment above it."""

    line: int
    language: str
    text: str
    comment: str

    @property
    def not_run(self):
        """The reason why it is not run; None if it is."""
        return self.comment.partition("not run:")[2].strip() if self.comment.startswith("not run") else None

    @property
    def exits_with(self):
        found = re.fullmatch(r"exits with (\d+)", self.comment)
        return int(found[1]) if found else 0

    @property
    def file(self):
        found = NAMED.match(self.text)
        return found[1] if found and self.language in ("python", "yaml") else None

    def commands(self):
        """Pairs of a command and what is shown after it (None: nothing is said of it)."""
        if self.language == "sh":
            return [(self.text, None)]
        if self.language == "python":
            return [(f"{sys.executable} - <<'END OF BLOCK'\n{self.text}\nEND OF BLOCK\n", None)]
        if self.language != "console":
            return []
        pieces = re.split(r"^\$ ((?:.*\\\n)*.*)\n", self.text, flags=re.MULTILINE)
        assert not pieces[0], f"line {self.line}: a console begins with a command"
        return list(zip(pieces[1::2], pieces[2::2], strict=True))


def blocks(text):
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start(2)) + 1
        yield Block(line, found[2], found[3], found[1] or "")


def clone(folder):
    """What somebody has who has cloned the project and installed it."""
    for each in IN_A_CLONE:
        shutil.copytree(ROOT / each, folder / each, ignore=shutil.ignore_patterns("__pycache__", "runs"))


def environment(folder):
    kept = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")}
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
    return {**kept, "PATH": path, "HOME": str(folder), "COLUMNS": "100", "NO_COLOR": "1", "PYTHONWARNINGS": "error"}


def run(command, folder):
    """Give exit code and what a reader sees: standard output, or standard error where there is no other."""
    ended = subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=600,
        check=False,
    )
    return ended.returncode, ended.stdout or ended.stderr, ended.stderr


def words(text):
    """Without times, and without what depends on their width: how lines break and columns stand."""
    return " ".join(TIME.sub("TIME", text).split())


def differs(shown, printed):
    """The first part of what is shown that was not printed there; None if all of it was."""
    parts = [words(part) for part in re.split(rf"^{re.escape(LEFT_OUT)}$", shown, flags=re.MULTILINE)]
    rest, first, last = words(printed), parts[0], parts[-1]
    if not rest.startswith(first):
        return first
    if not rest.endswith(last):
        return last
    for part in parts:
        place = rest.find(part)
        if place < 0:
            return part
        rest = rest[place + len(part) :]
    return None


def executed(text, folder):
    """Run what a document tells to run; yields each command with its block, what it shows and what came of it."""
    for block in blocks(text):
        if block.not_run is not None:
            continue
        if block.file is not None:
            (folder / block.file).write_text(block.text, encoding="utf-8")
            continue
        for command, shown in block.commands():
            yield block, command, shown, *run(command, folder)


def skeleton(line):
    return re.sub(r"[\W\d_]+", "", line)[:14]


def renewed(shown, printed):
    """What is printed now, with the same lines left out; None where they are not found."""
    if LEFT_OUT not in shown.split("\n"):
        return printed
    lines, made, place = printed.rstrip("\n").split("\n"), [], 0
    parts = re.split(rf"^{re.escape(LEFT_OUT)}\n?", shown, flags=re.MULTILINE)
    for number, part in enumerate(parts):
        wanted = part.rstrip("\n").split("\n") if part.strip() else []
        if number:
            made.append(LEFT_OUT)
        if not wanted:
            continue
        keys = [skeleton(line) for line in lines]
        heads = [at for at in range(place, len(lines)) if keys[at] == skeleton(wanted[0])]
        if not heads:
            return None
        start = heads[0] if number else 0
        if number == len(parts) - 1 and part.strip():
            end = len(lines)
        else:
            ends = [at for at in range(start, len(lines)) if keys[at] == skeleton(wanted[-1])]
            if not ends:
                return None
            end = min(ends, key=lambda at: abs(at - start - len(wanted) + 1)) + 1
        made += lines[start:end]
        place = end
    return "\n".join(made) + "\n"


def renew(path):
    text = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clone(folder)
        for block, command, shown, code, printed, errors in executed(text, folder):
            if code != block.exits_with:
                print(f"{path}:{block.line}: exit code {code}: {command}\n{errors}", file=sys.stderr)
            if shown is None or differs(shown, printed) is None:
                continue
            new = printed if shown == "?\n" else renewed(shown, printed) if shown.strip() else None
            if new is None:
                print(f"{path}:{block.line}: to be edited: {command}\n{printed}", file=sys.stderr)
            else:
                new = "".join(f"{line.rstrip()}\n" for line in new.rstrip("\n").split("\n"))
                text = text.replace(f"$ {command}\n{shown}", f"$ {command}\n{new}", 1)
                print(f"{path}:{block.line}: renewed: {command}", file=sys.stderr)
        for picture in re.findall(r"\]\((?:docs/)?(images/[^)]+)\)", text):
            drawn = folder / Path(picture).name
            if drawn.exists():
                shutil.copy(drawn, ROOT / "docs" / picture)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for each in sys.argv[1:]:
        renew(Path(each).resolve())
