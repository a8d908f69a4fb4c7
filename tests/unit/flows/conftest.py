"""A cluster in memory behind the tasks of the flows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.core.cluster_fake import FakeCluster
from tests.unit.tasks.guard.stand_in import StandIn, paging_goes_to, standing_in
from tests.unit.tasks.rollout.world import World


@pytest.fixture
def world(
    prefect: None,  # noqa: ARG001 the server comes first
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> World:
    """The shop's prod, which the tasks of a flow reach by its target, on the cluster's clock."""
    found = World()

    @contextmanager
    def connect(_target: object) -> Iterator[FakeCluster]:
        yield found.cluster

    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    for stage in ("rollout", "audit", "approval", "scan"):
        monkeypatch.setattr(f"tasks.{stage}.task.connect", connect)
    monkeypatch.setattr("tasks.rollout.ports.SystemClock", lambda: found.cluster.clock)
    monkeypatch.setattr("tasks.rollout.task.utc_now", found.cluster.clock.now)
    monkeypatch.setattr("tasks.guard.task.utc_now", found.cluster.clock.now)
    return found


@pytest.fixture
def pager(world: World, tmp_path: Path) -> Iterator[StandIn]:  # noqa: ARG001 the state is its own
    """PagerDuty, set up on this machine."""
    with standing_in() as told:
        paging_goes_to(told, tmp_path)
        yield told
