"""``python -m lrtune``."""

from lrtune.cli import main

main()
