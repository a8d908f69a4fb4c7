"""The steps that every kind of rollout is made of: applying a release's objects, clearing up."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tasks.core.application import Environment
from tasks.core.cluster import FIELD_MANAGER
from tasks.core.model import Release
from tasks.core.objects import Kind, Object, Ref, parse_stream, ref_of
from tasks.core.record import Record
from tasks.core.strategy import Hooks
from tasks.rollout.model import Observed
from tasks.rollout.steps import Apply, AwaitReady, Delete, HandOver, MakeSecret, Step
from tasks.rollout.together import deadline_for

__all__ = [
    "HPA_MANAGER",
    "KEPT_KINDS",
    "WATCHED",
    "applies",
    "await_all",
    "deletes",
    "generated_secrets",
    "manifests_of",
    "only_hooks",
    "refs_of",
    "scaled",
    "scaled_since",
    "was_scaled",
    "without_hooks",
    "without_replicas",
]

HPA_MANAGER = "slipway-replicas"
"""Owner of the replicas that we hand over to an autoscaler."""

WATCHED = frozenset({"DaemonSet", "Deployment", "StatefulSet"})
"""Servers: what is not ready answers nobody. Jobs and CronJobs are never waited for as such."""
KEPT_KINDS = frozenset({"CustomResourceDefinition", "Namespace", "PersistentVolumeClaim"})
"""What is never deleted for us: other things, or data, would go with it."""

AUTOSCALING = frozenset({"kube-controller-manager", HPA_MANAGER})

SECRET = Kind("v1", "Secret")


def manifests_of(record: Record) -> tuple[Object, ...]:
    """Return the objects that a record's release puts into its environment."""
    return parse_stream(record.release.manifests_for(record.environment).yaml)


def only_hooks(objects: Iterable[Object], hooks: Hooks) -> tuple[Object, ...]:
    """Return the Jobs that hooks run."""
    return tuple(thing for thing in objects if _is_run_by(hooks, thing))


def without_hooks(objects: Iterable[Object], hooks: Hooks) -> tuple[Object, ...]:
    """Leave out the Jobs that hooks run and that are never just applied."""
    return tuple(thing for thing in objects if not _is_run_by(hooks, thing))


def _is_run_by(hooks: Hooks, thing: Object) -> bool:
    jobs = {hook.job for hook in (*hooks.before, *hooks.after)}
    return thing["kind"] == "Job" and thing["metadata"]["name"] in jobs


def refs_of(release: Release, environment: str) -> frozenset[Ref]:
    """Return the names of the objects that a release puts into an environment."""
    return frozenset(map(ref_of, parse_stream(release.manifests_for(environment).yaml)))


def scaled(objects: Iterable[Object]) -> frozenset[tuple[str, str]]:
    """Return kind and name of the workloads whose replicas an autoscaler sets."""
    targets = (
        thing["spec"]["scaleTargetRef"]
        for thing in objects
        if thing["kind"] == "HorizontalPodAutoscaler"
    )
    return frozenset((target["kind"], target["name"]) for target in targets)


def without_replicas(thing: Object) -> Object:
    """Return a workload that leaves its number of replicas open."""
    spec = {key: value for key, value in thing["spec"].items() if key != "replicas"}
    return {**thing, "spec": spec}


def generated_secrets(seen: Observed) -> Iterable[Step]:
    """Make the Secrets whose values nobody has to know."""
    namespace = seen.current.record.namespace
    for secret in seen.environment.secrets:
        yield MakeSecret(Ref(SECRET, namespace, secret.name), secret.keys)


def applies(
    objects: Iterable[Object],
    seen: Observed,
    *,
    force: bool,
    among: Iterable[Object],
) -> Iterable[Step]:
    """Apply objects, leaving replicas to autoscalers that set them.

    Those are among all objects of the release, or somebody else has made them.
    """
    by_autoscaler = scaled((*among, *seen.autoscalers))
    for thing in objects:
        ref = ref_of(thing)
        existing = seen.live.get(ref)
        if (ref.kind.name, ref.name) not in by_autoscaler or existing is None:
            yield Apply(thing, force or was_scaled(existing))
            continue
        if _ours_to_scale(existing):
            yield HandOver(ref, existing["spec"].get("replicas", 1))
        yield Apply(without_replicas(thing), force)


def was_scaled(existing: Object | None) -> bool:
    """Say whether an autoscaler, and nobody else, has set the replicas: ours to take back."""
    owners = _owners_of_replicas(existing or {"metadata": {}})
    return bool(owners) and owners <= AUTOSCALING


def scaled_since(existing: Object | None, began: datetime) -> bool:
    """Say whether a person has set the replicas since a rollout began.

    Whatever else is neither us nor an autoscaler counts alike; those are known by their objects.
    The subresource `scale` leaves no time behind: then it may have been since, and nobody's pods
    are taken away under load.
    """
    second = began.replace(microsecond=0)  # the cluster tells no fractions
    return any(
        entry["manager"] not in {FIELD_MANAGER, *AUTOSCALING}
        and ("time" not in entry or datetime.fromisoformat(entry["time"]) >= second)
        for entry in _entries_of_replicas(existing or {"metadata": {}})
    )


def await_all(
    objects: Iterable[Object], since: str, release: Release, environment: Environment
) -> AwaitReady:
    """Wait for the workloads among the objects of a release."""
    workloads = [thing for thing in objects if thing["kind"] in WATCHED]
    deadline = deadline_for(workloads, release, environment)
    return AwaitReady(tuple(map(ref_of, workloads)), since, deadline)


def deletes(seen: Observed, kept: Iterable[Object], more: Iterable[Ref] = ()) -> Iterable[Step]:
    """Delete what earlier rollouts and this one brought, and more, except for what is kept."""
    known = {ref_of(thing) for thing in kept}
    brought = refs_of(seen.current.record.release, seen.current.record.environment)
    for ref in sorted((seen.leftovers | brought | frozenset(more)) - known):
        if ref.kind.name not in KEPT_KINDS:
            yield Delete(ref)


def _ours_to_scale(existing: Object) -> bool:
    """Say whether dropping the field would reset it: server-side apply removes what we own."""
    return FIELD_MANAGER in _owners_of_replicas(existing)


def _owners_of_replicas(existing: Object) -> frozenset[str]:
    return frozenset(entry["manager"] for entry in _entries_of_replicas(existing))


def _entries_of_replicas(existing: Object) -> Iterator[Object]:
    for entry in existing["metadata"].get("managedFields", ()):
        if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {}):
            yield entry
