"""Which processes of the lab are alive: a process id counts only with its start time."""

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Recorded", "alive", "forget", "kill", "read"]

_STATE, _FLAGS, _STARTED = 0, 6, 19
"""Fields of /proc/PID/stat behind the program's name (proc_pid_stat(5), less three)."""
_EXITING = 0x4
"""PF_EXITING: a namespace's first process stays a while as such, until it has ended all others."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A process as it was written down when it started.

    Attributes:
        pid: the host's number.
        started: clock ticks since the machine started; tells a reused number apart.
        fingerprint: hash of what it was started with.
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


def alive(process: Recorded | None) -> bool:
    """Say whether exactly this process still runs."""
    if process is None:
        return False
    try:
        text = Path(f"/proc/{process.pid}/stat").read_text()
    except OSError:
        return False
    fields = text.rpartition(")")[2].split()
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
