"""Which process made a thing in the engine, so that what a killed run left can be told apart."""

import contextlib
import hashlib
import platform
from dataclasses import dataclass
from typing import Self

import psutil

__all__ = ["Owner"]

SAME_SECONDS = 60  # a start time moves when the machine's clock is set


@dataclass(frozen=True, slots=True)
class Owner:
    """A process of a machine; a later process with the same number is another owner."""

    machine: str
    pid: int
    started_at: int

    @classmethod
    def this(cls) -> Self:
        """Return the process that runs this code."""
        process = psutil.Process()
        return cls(_machine(), process.pid, int(process.create_time()))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what str() wrote; None for anything else."""
        with contextlib.suppress(ValueError):
            machine, pid, started_at = text.split(".")
            return cls(machine, int(pid), int(started_at))
        return None

    def __str__(self) -> str:
        """Write it with nothing but what an image's tag may hold."""
        return f"{self.machine}.{self.pid}.{self.started_at}"

    def is_gone(self) -> bool:
        """Say whether it has ended; never of a process on another machine."""
        if self.machine != _machine():
            return False
        try:
            started_at = psutil.Process(self.pid).create_time()
        except psutil.NoSuchProcess:
            return True
        return abs(started_at - self.started_at) > SAME_SECONDS


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]
