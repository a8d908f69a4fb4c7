"""What a smoke run needs and what it sees."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

__all__ = ["Answer", "Container", "Layer", "Loaded", "Observed", "Sign", "Trial"]

SIGTERM = "SIGTERM"


class Sign(StrEnum):
    """What shows that a component is healthy."""

    HTTP = "an HTTP path"
    HEALTHCHECK = "the image's HEALTHCHECK"
    PORT = "a port that accepts connections"


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of an image's history and what it added, in bytes."""

    command: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image in a Docker engine.

    Attributes:
        id: the digest of its configuration.
        user: as the image's configuration says it, empty where unset.
        ports: TCP ports that it exposes.
        has_healthcheck: its configuration holds a HEALTHCHECK that is not NONE.
        size_bytes: unpacked, as the engine reports it.
        stop_signal: what a kubelet sends to stop it.
    """

    id: str
    user: str
    ports: tuple[int, ...]
    has_healthcheck: bool
    size_bytes: int
    layers: tuple[Layer, ...]
    stop_signal: str = SIGTERM


@dataclass(frozen=True, slots=True)
class Trial:
    """One container to be started.

    Attributes:
        memory: limit in bytes, swap included.
        writable: paths that get a file system in memory; the rest is read-only.
    """

    component: str
    image: str
    sign: Sign
    port: int | None
    path: str
    env: dict[str, str] = field(repr=False)
    memory: int
    writable: tuple[str, ...]
    within: timedelta
    grace: timedelta
    stop_signal: str = SIGTERM


@dataclass(frozen=True, slots=True)
class Observed:
    """A container at one moment.

    Attributes:
        code: exit status, None while it runs.
        health: the engine's word for its HEALTHCHECK: starting, healthy, unhealthy or none.
        last_check: what the HEALTHCHECK printed last.
    """

    code: int | None
    health: str = "none"
    last_check: str = ""
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a container; status is None where it was no HTTP."""

    is_good: bool
    words: str


class Container(Protocol):
    """A started container."""

    def observe(self) -> Observed:
        """Return how it is now."""
        ...

    def ask(self) -> Answer:
        """Send one request to the trial's path, or open its port."""
        ...

    def terminate(self) -> None:
        """Send the signal that asks it to stop."""
        ...

    def last_lines(self) -> str:
        """Return the end of what it logged."""
        ...
