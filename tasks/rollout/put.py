"""Writing what a release wants into the cluster, and reading a refusal as a verdict."""

from datetime import timedelta

from tasks.core.cluster import Applied, ApplyOptions, Scope
from tasks.core.errors import ConfigError
from tasks.core.model import Outcome, Verdict
from tasks.core.objects import Object, Ref, ref_of
from tasks.rollout.changing import HPA_MANAGER, scaled_since, without_replicas
from tasks.rollout.partition import at_share
from tasks.rollout.running import Rollout
from tasks.rollout.steps import Apply, Renew, Rest, Scale, SetTraffic, StartJob, Wake
from tasks.rollout.traffic import canary_replicas

__all__ = [
    "ROLLOUT",
    "bring",
    "put",
    "renew",
    "rest",
    "scale",
    "set_traffic",
    "stable_replicas",
    "start_job",
    "wake",
]

ROLLOUT = "slipway.dev/rollout"
"""Annotation of a hook's Job: number of the rollout that it was made for."""
BEFORE_REST = "slipway.dev/replicas-before-rest"
GONE_WITHIN = timedelta(minutes=1)


def put(thing: Object, rollout: Rollout, *, force: bool = False) -> Verdict | None:
    """Apply an object; a verdict says why it could not be."""
    ref = ref_of(thing)
    try:
        applied = _apply(thing, rollout, ApplyOptions(force=force))
    except ConfigError as error:
        return Verdict(Outcome.FAILED, f"{ref} is refused: {error.what}")
    if applied.conflicts:
        held = tuple(f"{each.field} is held by {each.manager}" for each in applied.conflicts)
        return Verdict(Outcome.FAILED, f"{ref} was changed by others meanwhile", held)
    return None


def bring(step: Apply, rollout: Rollout) -> Verdict | None:
    """Apply an object of a release; who has scaled it since the rollout began is not fought.

    That is read now: the steps may have been planned an hour ago.
    """
    thing = step.object
    if "replicas" in (thing.get("spec") or {}):
        live = rollout.ports.cluster.read(ref_of(thing))
        if scaled_since(live, rollout.stored.record.started_at):
            thing = without_replicas(thing)
    return put(thing, rollout, force=step.force)


def _apply(thing: Object, rollout: Rollout, options: ApplyOptions) -> Applied:
    """Apply an object; a Job whose pods change is made again, for no Job may change its pods."""
    cluster = rollout.ports.cluster
    try:
        return cluster.apply(thing, options)
    except ConfigError:
        if thing["kind"] != "Job":
            raise
    _delete_job(ref_of(thing), rollout)
    return cluster.apply(thing, options)


def start_job(step: StartJob, rollout: Rollout) -> Verdict | None:
    """Make a hook's Job, once for this rollout."""
    ref, number = ref_of(step.job), str(rollout.stored.record.number)
    metadata = step.job["metadata"]
    live = rollout.ports.cluster.read(ref)
    if live is not None:
        made_for = (live["metadata"].get("annotations") or {}).get(ROLLOUT)
        if made_for == number:
            return None
        _delete_job(ref, rollout)
    annotations = {**(metadata.get("annotations") or {}), ROLLOUT: number}
    return put({**step.job, "metadata": {**metadata, "annotations": annotations}}, rollout)


def _delete_job(ref: Ref, rollout: Rollout) -> None:
    """Delete a Job and wait until its name is free."""
    cluster, clock = rollout.ports.cluster, rollout.ports.clock
    cluster.delete(ref)
    scope = Scope((ref.kind,), ref.namespace, name=ref.name)
    for left in cluster.watch(scope, clock.now() + GONE_WITHIN):
        rollout.lock.check()
        if not left:
            return


def set_traffic(step: SetTraffic, rollout: Rollout) -> Verdict | None:
    """Apply Services and routes one by one; each alone leaves every request with an answer."""
    refused = (put(thing, rollout, force=step.force) for thing in step.objects)
    return next((verdict for verdict in refused if verdict is not None), None)


def scale(step: Scale, rollout: Rollout) -> Verdict | None:
    """Give the canary the pods that its share takes of the stable one's number now."""
    stable = stable_replicas(rollout.ports.cluster.read(step.twin.stable))
    canary = step.twin.canary
    replicas = canary_replicas(stable, step.share, step.way)
    return put({**canary, "spec": {**canary["spec"], "replicas": replicas}}, rollout)


def rest(step: Rest, rollout: Rollout) -> None:
    """Scale a stable Deployment to nothing; an annotation keeps how many pods it had."""
    live = rollout.ports.cluster.read(step.stable)
    had = max(stable_replicas(live), _before_rest(live))
    _resize(step.stable, 0, {BEFORE_REST: str(had)}, rollout)


def wake(step: Wake, rollout: Rollout) -> None:
    """Scale a stable Deployment up to its canary's size; never down."""
    cluster, stable = rollout.ports.cluster, step.twin.stable
    live, canary = cluster.read(stable), cluster.read(ref_of(step.twin.canary))
    wanted = stable_replicas(canary) if canary is not None else _before_rest(live)
    _resize(stable, max(wanted, stable_replicas(live)), {}, rollout)


def _resize(ref: Ref, replicas: int, annotations: dict[str, str], rollout: Rollout) -> None:
    """Scale a Deployment over whoever scales it otherwise; the next apply takes it back."""
    head = {"apiVersion": ref.kind.api_version, "kind": ref.kind.name}
    metadata: Object = {"name": ref.name, "namespace": ref.namespace}
    if annotations:
        metadata["annotations"] = annotations
    thing = {**head, "metadata": metadata, "spec": {"replicas": replicas}}
    rollout.ports.cluster.apply(thing, ApplyOptions(manager=HPA_MANAGER, force=True))


def _before_rest(live: Object | None) -> int:
    annotations = (live or {"metadata": {}})["metadata"].get("annotations") or {}
    return int(annotations.get(BEFORE_REST, 0))


def renew(step: Renew, rollout: Rollout) -> Verdict | None:
    """Let a share of a workload's pods be of the new release; how many it has stays as it is."""
    live = rollout.ports.cluster.read(step.part.ref)
    return put(at_share(step.part, live, step.share), rollout)


def stable_replicas(workload: Object | None) -> int:
    """Return how many pods a workload wants, one being Kubernetes' default."""
    return int(((workload or {}).get("spec") or {}).get("replicas", 1))
