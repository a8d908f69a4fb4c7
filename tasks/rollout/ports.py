"""The world outside as rollouts really meet it: the cluster, the probes and the verdicts."""

from collections.abc import Iterator
from datetime import datetime

from tasks.analysis.effects import judge as judge_by_slos
from tasks.core.clock import Clock, SystemClock
from tasks.core.cluster import Cluster
from tasks.core.model import Verdict
from tasks.core.watching import Reading, Watch
from tasks.probe.effects import Probing, probe_release
from tasks.rollout.model import Place, Ports
from tasks.rollout.steps import ProbeRelease
from tasks.rollout.unjudged import unjudged

__all__ = ["judge", "ports_of", "probe"]


def ports_of(cluster: Cluster) -> Ports:
    """Return the ports of a rollout in a cluster."""
    return Ports(cluster, SystemClock(), probe, judge)


def probe(
    cluster: Cluster, clock: Clock, place: Place, step: ProbeRelease, began: datetime
) -> Verdict:
    """Send an environment's probes to a release's pods."""
    probing = Probing(
        environment=step.environment,
        target=place.target,
        release=step.release,
        began=began,
        access=step.access,
    )
    return probe_release(probing, cluster, clock)


def judge(cluster: Cluster, clock: Clock, watch: Watch) -> Iterator[Reading]:
    """Judge by the service levels, where slipway.yaml names any."""
    ask = judge_by_slos if watch.slos.goals else unjudged
    return ask(cluster, clock, watch)
