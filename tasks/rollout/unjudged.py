"""Watching where slipway.yaml names no service level: time, probes and pods decide alone."""

from collections.abc import Iterator
from datetime import timedelta

from tasks.core.clock import Clock
from tasks.core.cluster import Cluster
from tasks.core.model import Outcome, Verdict
from tasks.core.watching import Reading, Watch

__all__ = ["unjudged"]

TICK = timedelta(seconds=1)
NOTHING_SAID = Reading(Verdict(Outcome.PASSED, "no service levels to judge by"), decided=True)


def unjudged(_cluster: Cluster, clock: Clock, _watch: Watch) -> Iterator[Reading]:
    """Say each second that nothing speaks against the release."""
    while True:
        clock.wait(TICK)
        yield NOTHING_SAID
