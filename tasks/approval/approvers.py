"""Where approvers are kept: a port, a file of this machine, and the tests' memory."""

import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import filelock
from pydantic import TypeAdapter, ValidationError

from tasks.approval.model import Approver
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.files import write_whole
from tasks.core.paths import state_dir

__all__ = ["Approvers", "FileApprovers", "MemoryApprovers"]

T = TypeVar("T")
Change = Callable[[Approver | None], tuple[Approver | None, T]]
"""Gets an approver, None where there is none, and returns what to keep and what to answer."""

_STORED = TypeAdapter(tuple[Approver, ...])
LOCK_SECONDS = 30.0
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Approvers(Protocol):
    """Keeps approvers with their secrets, used codes and failures."""

    def everybody(self) -> tuple[Approver, ...]:
        """Return all, by name."""
        ...

    def change(self, name: str, change: Change[T]) -> T:
        """Change one approver while nobody else can; None as the new value removes them."""
        ...


@dataclass(frozen=True, slots=True)
class FileApprovers:
    """A JSON file that only its owner can read, replaced as a whole under a lock."""

    path: Path = field(default_factory=lambda: state_dir() / "approvers.json")

    def everybody(self) -> tuple[Approver, ...]:
        """Return all, by name.

        Raises:
            ConfigError: the file is damaged, or others can read it.
        """
        try:
            mode = self.path.stat().st_mode
            content = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        if mode & OTHERS:
            raise ConfigError(
                "can be read by others, and holds secrets",
                where=str(self.path),
                next_step=f"chmod 600 {self.path}, and enrol its approvers anew",
            )
        try:
            return _STORED.validate_json(content)
        except ValidationError as error:
            raise ConfigError(
                f"is damaged ({error.error_count()} faults)",
                where=str(self.path),
                next_step="restore it, or remove it and enrol its approvers anew",
            ) from error

    def change(self, name: str, change: Change[T]) -> T:
        """Change one approver while no other process can.

        Raises:
            ConfigError: the file is damaged, or others can read it.
            Unavailable: another process holds the lock.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{self.path}.lock", timeout=LOCK_SECONDS, mode=0o600)
        try:
            with lock:
                before = {one.name: one for one in self.everybody()}
                kept, answer = change(before.get(name))
                after = _with(before, name, kept)
                if after != before:
                    write_whole(self.path, _STORED.dump_json(tuple(after.values()), indent=2))
                return answer
        except filelock.Timeout as error:
            raise Unavailable(
                "is locked by another process", where=str(self.path), next_step="try again"
            ) from error


@dataclass(slots=True)
class MemoryApprovers:
    """Approvers of a test."""

    kept: dict[str, Approver] = field(default_factory=dict)

    def everybody(self) -> tuple[Approver, ...]:
        """Return all, by name."""
        return tuple(self.kept.values())

    def change(self, name: str, change: Change[T]) -> T:
        """Change one approver."""
        kept, answer = change(self.kept.get(name))
        self.kept = _with(self.kept, name, kept)
        return answer


def _with(approvers: dict[str, Approver], name: str, kept: Approver | None) -> dict[str, Approver]:
    others = {key: one for key, one in approvers.items() if key != name}
    return dict(sorted({**others, **({name: kept} if kept else {})}.items()))
