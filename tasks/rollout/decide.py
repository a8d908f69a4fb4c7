"""Which steps come next, from what is seen in the cluster."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from tasks.core.model import Record, Release, RolloutState
from tasks.core.objects import Kind, Object, Ref, parse_stream, ref_of
from tasks.core.strategy import Strategy
from tasks.rollout.model import (
    Apply,
    AwaitReady,
    Delete,
    Finish,
    HandOver,
    MakeSecret,
    Mark,
    Observed,
    Phase,
    ProbeRelease,
    Step,
)

__all__ = [
    "HPA_MANAGER",
    "KEPT_KINDS",
    "WATCHED",
    "deadline_of",
    "manifests_of",
    "plan_steps",
    "refs_of",
    "scaled",
    "was_scaled",
    "without_replicas",
]

HPA_MANAGER = "slipway-replicas"
"""Owner of the replicas that we hand over to an autoscaler."""

WATCHED = frozenset({"DaemonSet", "Deployment", "Job", "StatefulSet"})
KEPT_KINDS = frozenset({"CustomResourceDefinition", "Namespace", "PersistentVolumeClaim"})
"""What is never deleted for us: other things, or data, would go with it."""

AUTOSCALING = frozenset({"kube-controller-manager", HPA_MANAGER})

SECRET = Kind("v1", "Secret")


def plan_steps(seen: Observed) -> tuple[Step, ...]:
    """Return every step that is still to do, in order; none where the rollout is over."""
    record, progress = seen.current.record, seen.current.progress
    if record.state is not RolloutState.STARTED:
        return ()
    if progress.failed is None:
        return tuple(_forward(seen))
    if seen.previous is None:
        reason = f"{progress.failed.reason}; there is no earlier release to go back to"
        return (Finish(RolloutState.FAILED, reason),)
    if progress.restore_failed is not None:
        again = f"and rollout {seen.previous.number} did not come back"
        reason = f"{progress.failed.reason}; {again}: {progress.restore_failed.reason}"
        return (Finish(RolloutState.FAILED, reason),)
    return tuple(_backward(seen, seen.previous))


def _forward(seen: Observed) -> Iterable[Step]:
    """Bring the release in: secrets, objects, readiness, probes; then clear what is left over."""
    progress = seen.current.progress
    objects = manifests_of(seen.current.record)
    if progress.applied_at is None:
        yield from _secrets(seen)
        is_rollback = seen.current.record.restores is not None
        yield from _applies(objects, seen.live, force=is_rollback)
        yield Mark("applied_at")
    if progress.ready_at is None:
        yield _await(objects, "applied_at", seen.environment.strategy)
        yield Mark("ready_at")
    if progress.probed_at is None:
        if seen.environment.probes:
            release = seen.current.record.release
            yield ProbeRelease(release, seen.environment, "ready_at")
        yield Mark("probed_at")
    yield from _deletes(seen, objects)
    yield Finish(RolloutState.SUCCEEDED, _success(seen))


def _backward(seen: Observed, previous: Record) -> Iterable[Step]:
    """Bring the whole previous release back, over whatever stands in its way, and probe it."""
    objects, environment = manifests_of(previous), seen.environment_before
    progress = seen.current.progress
    failed = progress.failed
    if progress.restored_at is None:
        yield from _applies(objects, seen.live, force=True)
        yield Mark("restored_at")
    if progress.recovered_at is None:
        yield _await(objects, "restored_at", environment.strategy)
        yield Mark("recovered_at")
    if environment.probes:
        yield ProbeRelease(previous.release, environment, "recovered_at")
    yield from _deletes(seen, objects)
    why = failed.reason if failed else ""
    back = f"rollout {previous.number} ({previous.release.id}) is live again"
    yield Finish(RolloutState.RESTORED, f"{why}; {back}")


def manifests_of(record: Record) -> tuple[Object, ...]:
    """Return the objects that a record's release puts into its environment."""
    return parse_stream(record.release.manifests_for(record.environment).yaml)


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


def deadline_of(strategy: Strategy) -> timedelta:
    """Return how long workloads may take to become ready."""
    way = strategy.rolling or strategy.canary or strategy.blueGreen
    return way.deadline if way else timedelta(minutes=10)


def _secrets(seen: Observed) -> Iterable[Step]:
    namespace = seen.current.record.namespace
    for secret in seen.environment.secrets:
        yield MakeSecret(Ref(SECRET, namespace, secret.name), secret.keys)


def _applies(
    objects: tuple[Object, ...], live: Mapping[Ref, Object], *, force: bool
) -> Iterable[Step]:
    by_autoscaler = scaled(objects)
    for thing in objects:
        ref = ref_of(thing)
        existing = live.get(ref)
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


def _ours_to_scale(existing: Object) -> bool:
    """Say whether dropping the field would reset it: server-side apply removes what we own."""
    return "slipway" in _owners_of_replicas(existing)


def _owners_of_replicas(existing: Object) -> frozenset[str]:
    return frozenset(
        entry["manager"]
        for entry in existing["metadata"].get("managedFields", ())
        if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
    )


def _await(objects: Iterable[Object], since: Phase, strategy: Strategy) -> AwaitReady:
    workloads = tuple(ref_of(thing) for thing in objects if thing["kind"] in WATCHED)
    return AwaitReady(workloads, since, deadline_of(strategy))


def _deletes(seen: Observed, wanted: Iterable[Object]) -> Iterable[Step]:
    known = {ref_of(thing) for thing in wanted}
    bad = refs_of(seen.current.record.release, seen.current.record.environment)
    for ref in sorted((seen.leftovers | bad) - known):
        if ref.kind.name not in KEPT_KINDS:
            yield Delete(ref)


def _success(seen: Observed) -> str:
    record = seen.current.record
    if record.restores is not None:
        return f"{record.reason}; rollout {record.restores} ({record.release.id}) is live again"
    probes = len(seen.environment.probes)
    return "ready, no probes configured" if not probes else f"ready, {probes} probes passed"
