"""A schedule as working code for other libraries: files that need the library and nothing of lrtune."""

from __future__ import annotations

from lrtune.handover.program import TARGETS, export

__all__ = ["TARGETS", "export"]
