"""What a component's image was built on, and what it would be built on today."""

from dataclasses import dataclass

from tasks.core.model import Digest

__all__ = ["Bump", "Claim", "Look", "Part"]


@dataclass(frozen=True, slots=True)
class Bump:
    """A base image as it was and as it is today; old is None where nobody knows."""

    reference: str
    old: Digest | None
    new: Digest


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a live release, held against today's base images.

    Attributes:
        image: digest of the live image.
        is_stale: it has to be built again.
        why: in one sentence, either way.
        bumps: base images that are others today.
        bases: every base image that a build of today takes, `reference@digest`; part of the key
            under which what is built is found again.
        refresh: stages of its Dockerfile that are built without the cache.
    """

    component: str
    image: Digest
    is_stale: bool
    why: str
    bumps: tuple[Bump, ...] = ()
    bases: tuple[str, ...] = ()
    refresh: tuple[str, ...] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        """What buildx is given beside the usual."""
        return ("--pull", *(f"--no-cache-filter={stage}" for stage in self.refresh))


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at every component of a live release has shown."""

    parts: tuple[Part, ...] = ()

    @property
    def stale(self) -> tuple[Part, ...]:
        """Those that have to be built again."""
        return tuple(part for part in self.parts if part.is_stale)


@dataclass(frozen=True, slots=True)
class Claim:
    """Another run that wants into an environment; waits says that it waits for people."""

    run: str
    waits: bool
