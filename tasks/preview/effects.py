"""Makes and removes the namespaces of pull requests."""

from dataclasses import dataclass
from datetime import datetime

from tasks.core.cluster import ApplyOptions, Objects, Scope
from tasks.core.errors import Conflict, Unavailable
from tasks.core.model import Release
from tasks.core.objects import Kind, Object, Ref, parse_stream, ref_of
from tasks.core.previews import Previews, name_of
from tasks.preview.decide import (
    APPLICATION,
    environment_of,
    is_due,
    namespace_of,
    require_ours,
    require_room,
)

__all__ = ["Pull", "claim", "remove", "wide_kinds"]

NAMESPACE = Kind("v1", "Namespace")
OVER = ApplyOptions(manager="slipway-preview", force=True)
"""A manager of its own: what a rollout says of the namespace takes no label away."""


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request of an application, and where slipway.yaml wants it shown."""

    application: str
    number: int
    previews: Previews

    @property
    def ref(self) -> Ref:
        """Its namespace."""
        return Ref(NAMESPACE, "", environment_of(self.previews, self.number).namespace)


def wide_kinds(release: Release, number: int, cluster: Objects) -> frozenset[Kind]:
    """Return which kinds of a preview's objects have no namespace in the cluster.

    Raises:
        ConfigError: the cluster does not know one of them.
    """
    things = parse_stream(release.manifests_for(name_of(number)).yaml)
    kinds = {ref_of(thing).kind for thing in things}
    return frozenset(kind for kind in kinds if not cluster.resource(kind).namespaced)


def claim(pull: Pull, cluster: Objects, now: datetime) -> datetime:
    """Make a pull request's namespace, or keep it longer; return until when.

    Raises:
        GateClosed: the namespace is somebody else's, or there are too many.
        Unavailable: it is on its way out; call again.
    """
    until = now + pull.previews.keep
    wanted = namespace_of(pull.application, pull.number, pull.ref.name, until)
    there = cluster.read(pull.ref)
    if there is None:
        scope = Scope((NAMESPACE,), "", f"{APPLICATION}={pull.application}")
        require_room(cluster.find(scope), pull.previews, pull.application)
        there = _created(wanted, pull.ref, cluster)
    require_ours(there, pull.application, pull.number)
    if there["metadata"].get("deletionTimestamp"):
        raise Unavailable("is still being removed", where=f"namespace {pull.ref.name}")
    cluster.apply(wanted, OVER)
    return until


def remove(pull: Pull, cluster: Objects, now: datetime | None = None) -> str:
    """Remove a pull request's namespace and all that is in it; say what became of it.

    Args:
        pull: whose namespace.
        cluster: that it is in.
        now: leave it where it is to be kept until later; None removes it in any case.

    Raises:
        GateClosed: somebody else made it, or Slipway for something else.
    """
    there = cluster.read(pull.ref)
    if there is None:
        return f"namespace {pull.ref.name} is not there"
    require_ours(there, pull.application, pull.number)
    if now is not None and not is_due(there, now):
        return f"namespace {pull.ref.name} is kept longer"
    cluster.delete(pull.ref)
    return f"namespace {pull.ref.name} is removed"


def _created(wanted: Object, ref: Ref, cluster: Objects) -> Object:
    """Make the namespace; where somebody else is first, it is looked at as theirs."""
    try:
        return cluster.create(wanted)
    except Conflict as error:
        there = cluster.read(ref)
        if there is None:
            raise Unavailable("came and went", where=f"namespace {ref.name}") from error
        return there
