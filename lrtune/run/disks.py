"""Whether a folder is on a disk of this machine: over a network, some of what SQLite does is not safe.

Its write-ahead log needs memory that all processes of one machine share; where machines share a folder instead, a
reader on another one may see a torn study. There the classic rollback journal is kept, which needs locks alone.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "LRTUNE_SHARED_FOLDERS"
"""Variable of the environment: ``1`` takes every folder for one of a network, ``0`` none."""

MOUNTS = Path("/proc/self/mountinfo")

NETWORKS = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ceph", "lustre", "gpfs", "beegfs", "beegfs_nodev"),
        *("glusterfs", "orangefs", "pvfs2", "pvfs", "panfs", "davfs", "ncpfs", "virtiofs", "wekafs", "gfs2", "ocfs2"),
    )
)
"""File systems that several machines may see; those of user space (``fuse.sshfs``) are taken for such ones."""


def is_shared(path: Path) -> bool:
    """Tell whether other machines may see a file that is there or will be, as far as this system says so."""
    said = os.environ.get(VARIABLE)
    if said in ("0", "1"):
        return said == "1"
    kind = _kind(path.absolute().resolve())
    return kind in NETWORKS or kind.startswith("fuse.")


def _kind(path: Path) -> str:
    """Name the file system of a path; empty where it cannot be told."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        mounted = Path(fields[4].replace("\\040", " "))
        if path.is_relative_to(mounted) and len(mounted.parts) >= best:
            best, kind = len(mounted.parts), after.split()[0]
    return kind
