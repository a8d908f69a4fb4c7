"""What is asked of every side."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Protocol

from benchmarks.rollback.application import Application
from tasks.core.cluster import ApplyOptions
from tasks.core.cluster_api import KubernetesCluster
from tasks.core.objects import Kind, Object, Ref, parse_stream

__all__ = ["Side", "Stage", "apply", "manifests"]

FORCE = ApplyOptions(manager="benchmark", force=True)
HERE = Path(__file__).parent


class Side(Protocol):
    """One tool, with the application under it."""

    def release(self, number: int, faults: float) -> None:
        """Put a release in, without waiting."""
        ...

    def is_promoted(self, number: int) -> bool:
        """Say whether a release has replaced the one before it, as the tool sees it."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a side plays.

    Attributes:
        image: the application's image by digest, the same for all.
        logs: folder for what the controllers say.
    """

    application: Application
    cluster: KubernetesCluster
    image: str
    logs: Path

    def rendered(self, number: int, faults: float) -> tuple[Object, ...]:
        """Return the manifests of a release."""
        self.application.commit(number, faults, self.image)
        return self.application.rendered()

    def read(self, api_version: str, kind: str, name: str = "guestbook") -> Object:
        """Return an object of the application, empty where there is none."""
        ref = Ref(Kind(api_version, kind), self.application.namespace, name)
        return self.cluster.read(ref) or {}


def apply(things: Iterable[Object], cluster: KubernetesCluster) -> None:
    """Apply objects, whoever holds their fields."""
    for thing in things:
        cluster.apply(thing, FORCE)


def manifests(file: str, **words: str) -> tuple[Object, ...]:
    """Return the objects of a file beside this one, `$name` filled in."""
    return parse_stream(Template((HERE / file).read_text()).substitute(words))
