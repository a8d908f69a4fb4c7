"""The lab's own parent cgroup in every hierarchy, version 1, 2 or both."""

import contextlib
import os
from pathlib import Path

__all__ = ["create", "inhabited", "leftovers", "remove"]

_MOUNTS = Path("/proc/self/mounts")
_CPUSET = ("cpuset.cpus", "cpuset.mems")
SYSTEM = "system"
"""Child cgroup of the lab's own programs, beside Kubernetes' pods."""


def hierarchies(mounts: str) -> tuple[Path, ...]:
    """Mount points of the cgroup hierarchies in the text of /proc/self/mounts."""
    rows = (line.split() for line in mounts.splitlines())
    return tuple(Path(row[1]) for row in rows if row[2] in {"cgroup", "cgroup2"})


def create(cgroup: str) -> None:
    """Make the parent and its child for programs in every hierarchy."""
    for root in hierarchies(_MOUNTS.read_text()):
        parent = root / cgroup.lstrip("/")
        for folder in (parent, parent / SYSTEM):
            folder.mkdir(exist_ok=True)
            _inherit_cpuset(folder)


def leftovers(cgroup: str) -> tuple[Path, ...]:
    """Every cgroup of the lab that exists, deepest first."""
    parents = (root / cgroup.lstrip("/") for root in hierarchies(_MOUNTS.read_text()))
    return tuple(
        Path(folder)
        for parent in parents
        for folder, _, _ in os.walk(parent, topdown=False)
    )  # fmt: skip


def inhabited(cgroup: str) -> bool:
    """Say whether a process is left in any cgroup of the lab."""
    return any(_processes(folder) for folder in leftovers(cgroup))


def _processes(folder: Path) -> str:
    try:
        return (folder / "cgroup.procs").read_text().strip()
    except OSError:  # it has just been removed
        return ""


def remove(cgroup: str) -> tuple[Path, ...]:
    """Remove every cgroup of the lab that has no process left; return those that stayed."""
    for folder in leftovers(cgroup):
        with contextlib.suppress(OSError):
            folder.rmdir()
    return leftovers(cgroup)


def _inherit_cpuset(folder: Path) -> None:
    """Give a version 1 cpuset its parent's processors: an empty one takes no process."""
    for name in _CPUSET:
        file = folder / name
        if file.exists() and not file.read_text().strip():
            file.write_text((folder.parent / name).read_text())
