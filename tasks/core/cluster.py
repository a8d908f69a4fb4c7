"""The port to a Kubernetes cluster; cluster_api.py and cluster_fake.py stand behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tasks.core.objects import Kind, Object, Ref, Resource

__all__ = [
    "APPROVERS",
    "DRY_RUN",
    "FIELD_MANAGER",
    "OWN_NAMESPACE",
    "WRITE",
    "Answer",
    "Applied",
    "ApplyOptions",
    "Cluster",
    "FieldConflict",
    "Objects",
    "Pods",
    "Reach",
    "Scope",
    "Tunnel",
]

FIELD_MANAGER = "slipway"
OWN_NAMESPACE = "slipway"
"""Of what belongs to a cluster, and to no single environment in it."""
APPROVERS = "slipway-approvers"
"""Name of the Secret there that holds the approvers."""


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """A field that we want to set and that somebody else holds with another value."""

    field: str
    manager: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What server-side apply answered: the object as it is now, or who stands against it."""

    object: Object | None
    conflicts: tuple[FieldConflict, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How to apply.

    Attributes:
        manager: owner of the fields.
        dry_run: the API server computes and checks everything and keeps nothing.
        force: take fields over from other managers.
    """

    manager: str = FIELD_MANAGER
    dry_run: bool = False
    force: bool = False


WRITE = ApplyOptions()
DRY_RUN = ApplyOptions(dry_run=True)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which objects to look at: kinds in one namespace, narrowed by labels and a name."""

    kinds: tuple[Kind, ...]
    namespace: str
    labels: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a pod answered to a request, or how a command in it ended.

    Attributes:
        status: of HTTP, or the exit status; None where no answer came; text then says why.
    """

    status: int | None
    text: str
    seconds: float


class Tunnel(Protocol):
    """An open connection to a port of a pod."""

    def send(self, data: bytes) -> None:
        """Write bytes to the pod.

        Raises:
            Unavailable: the connection is gone.
        """
        ...

    def receive(self, within: timedelta) -> bytes | None:
        """Return what came next, nothing where the pod has closed, None where nothing came.

        Raises:
            Unavailable: the pod accepts no connection, or it broke.
        """
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class Objects(Protocol):
    """Reading and writing objects."""

    def resource(self, kind: Kind) -> Resource:
        """Return how the cluster calls a kind.

        Raises:
            ConfigError: it knows no such kind.
        """
        ...

    def read(self, ref: Ref) -> Object | None:
        """Return an object, None where there is none."""
        ...

    def find(self, scope: Scope) -> tuple[Object, ...]:
        """Return every object of a scope, sorted by name."""
        ...

    def apply(self, thing: Object, options: ApplyOptions = WRITE) -> Applied:
        """Apply an object server-side; a conflict is an answer, not an error."""
        ...

    def create(self, thing: Object) -> Object:
        """Make an object.

        Raises:
            Conflict: there is one of that name.
        """
        ...

    def replace(self, thing: Object) -> Object:
        """Write an object over the version that it was read in.

        Raises:
            Conflict: it was changed or deleted since.
        """
        ...

    def delete(self, ref: Ref) -> None:
        """Delete an object and what it owns; nothing happens where there is none."""
        ...


class Pods(Protocol):
    """Following what runs."""

    def watch(self, scope: Scope, until: datetime) -> Iterator[tuple[Object, ...]]:
        """Yield the objects of a scope at once and after each change, until an instant."""
        ...

    def logs(self, pod: Ref, container: str, lines: int) -> tuple[str, ...]:
        """Return the last lines of a container, of its previous run where it has crashed."""
        ...


class Reach(Protocol):
    """Talking to what runs, always through the API server."""

    def request(
        self, subject: Ref, port: int | str, path: str, within: timedelta, scheme: str = "http"
    ) -> Answer:
        """GET a path of a pod or a Service; redirects are not followed, certificates not read."""
        ...

    def execute(
        self, pod: Ref, container: str, command: tuple[str, ...], within: timedelta
    ) -> Answer:
        """Run a command in a container; text is what it printed last.

        A command that is late loses its connection, and Kubernetes leaves it running.
        """
        ...

    def open_tunnel(self, pod: Ref, port: int, within: timedelta) -> Tunnel:
        """Connect to a port of a pod; whether the pod accepts shows in what is received.

        Raises:
            Unavailable: the API server does not lead there.
        """
        ...


class Cluster(Objects, Pods, Reach, Protocol):
    """A whole cluster."""
