"""What `up` and `down` tell while they work."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Event", "Report", "Step", "making", "silent"]


class Step(StrEnum):
    """What happens to one artifact or component."""

    WAITING = "waiting"
    MAKING = "making"
    STARTING = "starting"
    FINISHING = "finishing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that has just begun or happened.

    Attributes:
        name: of the artifact or component.
        seconds: how long this took (READY), or is going to take by experience (WAITING, MAKING).
        detail: one line for people.
    """

    name: str
    step: Step
    seconds: float = 0.0
    detail: str = ""


Report = Callable[[Event], None]


def silent(_: Event) -> None:
    """Tell nobody."""


def making(artifact: str) -> str:
    """Name of the work on an artifact, which may be called like a component."""
    return f"make {artifact}"
