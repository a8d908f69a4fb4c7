"""The applications that people have registered, as the command hands them on."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter

from tasks.core.application import Application
from tasks.core.files import write_whole
from tasks.core.paths import state_dir

__all__ = ["Registered", "keep", "registered"]


@dataclass(frozen=True, slots=True)
class Registered:
    """An application that somebody has registered, and where its repository is cloned from."""

    address: str
    application: Application


_ALL = TypeAdapter(tuple[Registered, ...])


def keep(applications: Iterable[Registered]) -> None:
    """Write down which applications are offered, in the place of what was written before."""
    file = state_dir() / "applications.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, _ALL.dump_json(tuple(applications), by_alias=True))


def registered() -> tuple[Registered, ...]:
    """Return the applications that are offered; none before the first."""
    file = state_dir() / "applications.json"
    return _ALL.validate_json(file.read_bytes()) if file.exists() else ()
