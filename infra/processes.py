"""Which processes that were written down are alive: a number counts only with its start time."""

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Recorded", "alive", "forget", "kill", "read", "write"]

_STATE, _FLAGS, _STARTED = 0, 6, 19
"""Fields of /proc/PID/stat behind the program's name (proc_pid_stat(5), less three)."""
_EXITING = 0x4
"""PF_EXITING: a namespace's first process stays a while as such, until it has ended all others."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A process as it was written down when it started.

    Attributes:
        pid: the host's number.
        started: clock ticks since the machine started, which no setting of its clock moves; tells
            a reused number apart.
        fingerprint: hash of what it was started with, `-` where nobody asks.
    """

    pid: int
    started: int
    fingerprint: str


def read(record: Path) -> Recorded | None:
    """Read a record, None where there is none or it is not whole."""
    try:
        pid, started, fingerprint = record.read_text().split()
        return Recorded(int(pid), int(started), fingerprint)
    except (OSError, ValueError):
        return None


def write(record: Path, pid: int) -> None:
    """Write a process down; nothing where it has ended and is forgotten already."""
    fields = _stat(pid)
    if fields is not None:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(f"{pid} {fields[_STARTED]} -\n")


def alive(process: Recorded | None) -> bool:
    """Say whether exactly this process still runs."""
    fields = None if process is None else _stat(process.pid)
    if process is None or fields is None:
        return False
    ending = fields[_STATE] in "ZX" or int(fields[_FLAGS]) & _EXITING
    return not ending and int(fields[_STARTED]) == process.started


def kill(process: Recorded | None, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to exactly this process, if it still runs."""
    if process is not None and alive(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def forget(record: Path) -> None:
    """Remove a record."""
    record.unlink(missing_ok=True)


def _stat(pid: int) -> list[str] | None:
    """Read the fields behind a program's name, None where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
