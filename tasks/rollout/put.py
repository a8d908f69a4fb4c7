"""Writing what a release wants into the cluster, and reading a refusal as a verdict."""

from datetime import timedelta

from tasks.core.cluster import Applied, ApplyOptions, Scope
from tasks.core.errors import ConfigError
from tasks.core.model import Outcome, Verdict
from tasks.core.objects import Object, Ref, ref_of
from tasks.rollout.changing import HPA_MANAGER
from tasks.rollout.partition import at_share
from tasks.rollout.running import Rollout
from tasks.rollout.steps import Renew, Rest, Scale, SetTraffic, StartJob, Wake
from tasks.rollout.traffic import canary_replicas

__all__ = [
    "ROLLOUT",
    "put",
    "renew",
    "resize",
    "scale",
    "set_traffic",
    "stable_replicas",
    "start_job",
]

ROLLOUT = "slipway.dev/rollout"
"""Annotation of a hook's Job: number of the rollout that it was made for."""
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


def resize(step: Rest | Wake, rollout: Rollout) -> None:
    """Scale a stable Deployment over whoever scales it otherwise; the next apply takes it back."""
    cluster = rollout.ports.cluster
    ref, replicas = step.stable if isinstance(step, Rest) else step.twin.stable, 0
    if isinstance(step, Wake):
        replicas = stable_replicas(cluster.read(ref_of(step.twin.canary)))
    head = {"apiVersion": ref.kind.api_version, "kind": ref.kind.name}
    metadata = {"name": ref.name, "namespace": ref.namespace}
    thing = {**head, "metadata": metadata, "spec": {"replicas": replicas}}
    cluster.apply(thing, ApplyOptions(manager=HPA_MANAGER, force=True))


def renew(step: Renew, rollout: Rollout) -> Verdict | None:
    """Let a share of a workload's pods be of the new release; how many it has stays as it is."""
    live = rollout.ports.cluster.read(step.part.ref)
    return put(at_share(step.part, live, step.share), rollout)


def stable_replicas(workload: Object | None) -> int:
    """Return how many pods a workload wants, one being Kubernetes' default."""
    return int(((workload or {}).get("spec") or {}).get("replicas", 1))
