"""Writing what a release wants into the cluster, and reading a refusal as a verdict."""

from tasks.core.cluster import ApplyOptions
from tasks.core.errors import ConfigError
from tasks.core.model import Outcome, Verdict
from tasks.core.objects import Object, ref_of
from tasks.rollout.partition import at_share
from tasks.rollout.running import Rollout
from tasks.rollout.steps import Renew, Scale, SetTraffic
from tasks.rollout.traffic import canary_replicas

__all__ = ["put", "renew", "scale", "set_traffic", "stable_replicas"]


def put(thing: Object, rollout: Rollout, *, force: bool = False) -> Verdict | None:
    """Apply an object; a verdict says why it could not be."""
    ref = ref_of(thing)
    try:
        applied = rollout.ports.cluster.apply(thing, ApplyOptions(force=force))
    except ConfigError as error:
        return Verdict(Outcome.FAILED, f"{ref} is refused: {error.what}")
    if applied.conflicts:
        held = tuple(f"{each.field} is held by {each.manager}" for each in applied.conflicts)
        return Verdict(Outcome.FAILED, f"{ref} was changed by others meanwhile", held)
    return None


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


def renew(step: Renew, rollout: Rollout) -> Verdict | None:
    """Let a share of a workload's pods be of the new release; how many it has stays as it is."""
    live = rollout.ports.cluster.read(step.part.ref)
    return put(at_share(step.part, live, step.share), rollout)


def stable_replicas(workload: Object | None) -> int:
    """Return how many pods a workload wants, one being Kubernetes' default."""
    return int(((workload or {}).get("spec") or {}).get("replicas", 1))
