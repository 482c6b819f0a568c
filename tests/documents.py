"""The code blocks of README and docs, run in their order in a folder that holds what a clone holds.

`sh` are commands; `console` shows what each prints after it, where `[...]` stands for lines that are left out; `python`
is a program; a block whose first line is a comment with the name of a file is that file. What is not run says so in a
comment above the block, which no reader sees: `<!-- not run: why -->`. A command that shall fail has
`<!-- exits with 2 -->`.

`python tests/documents.py README.md docs/tutorial.md` runs all blocks and puts into the documents what their commands
print now, and into docs/images the pictures that they draw.
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
TIME = re.compile(r"(?:under )?\b\d[\d.,]*\s?(?:ms|s|m|h|d)\b(?:\s\d+\s(?:s|m|h)\b)*")


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


def pictures(text):
    """Names of the pictures that a document shows."""
    return re.findall(r"\]\((?:docs/|\.\./)?images/([^)]+)\)", text)


def run(command, folder):
    """Give exit code and what a reader sees: standard output, or standard error where there is no other."""
    ended = subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=900,  # so long that only a defect comes later: tests.durability.patience
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


def parts_of(shown):
    """The lines of each part between those that are left out."""
    parts, lines = [], []
    for line in [*shown.rstrip("\n").split("\n"), LEFT_OUT]:
        if line == LEFT_OUT:
            parts.append(lines)
            lines = []
        else:
            lines.append(line)
    return parts


def begins(line):
    """What a line is known by when its numbers change."""
    return re.sub(r"[\W\d_]+", "", line)[:14]


def renewed(shown, printed):
    """What is printed now, with the same lines left out; None where they are not found."""
    lines = [line.rstrip() for line in printed.rstrip("\n").split("\n")]
    parts, made, place = parts_of(shown), [], 0
    for number, part in enumerate(parts):
        if not part:
            continue
        ends = range(place, len(lines))
        first = next((at for at in ends if begins(lines[at]) == begins(part[0])), None) if number else 0
        after = [at for at in ends if first is not None and at >= first and begins(lines[at]) == begins(part[-1])]
        if number == len(parts) - 1:
            after = ends[-1:]
        if first is None or not after:
            return None
        last = min(after, key=lambda at: abs(at - first - len(part) + 1))
        made.append(lines[first : last + 1])
        place = last + 1
    kept = iter(made)
    text = f"\n{LEFT_OUT}\n".join("\n".join(next(kept)) if part else "" for part in parts)
    return f"{text.strip(chr(10))}\n"


def with_old_times(new, shown):
    """Keep a line that differs in its times alone: they are those of a machine with nothing else to do."""
    old = {words(line): line for line in shown.split("\n")}
    return "\n".join(old.get(words(line), line) for line in new.split("\n"))


def renew(path, tell):
    text = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clone(folder)
        for block, command, shown, code, printed, errors in executed(text, folder):
            where = f"{path.name}:{block.line}"
            if code != block.exits_with:
                tell(f"{where}: exit code {code}: {command}\n{errors}\n")
            if shown is None or differs(shown, printed) is None:
                continue
            new = renewed(shown, printed)
            if new is None:
                tell(f"{where}: to be edited: {command}\n{printed}\n")
            else:
                new = with_old_times(new, shown)
                text = path.read_text(encoding="utf-8")
                path.write_text(text.replace(f"$ {command}\n{shown}", f"$ {command}\n{new}", 1), encoding="utf-8")
                tell(f"{where}: renewed: {command}\n")
        for picture in pictures(text):
            if (folder / picture).exists():
                shutil.copy(folder / picture, ROOT / "docs" / "images" / picture)


if __name__ == "__main__":
    for each in sys.argv[1:]:
        renew(Path(each).resolve(), sys.stderr.write)
