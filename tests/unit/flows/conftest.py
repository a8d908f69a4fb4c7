"""A Prefect server for the flows of a module, and a cluster in memory behind their tasks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prefect.settings import PREFECT_HOME, PREFECT_LOGGING_LEVEL, temporary_settings
from prefect.testing.utilities import prefect_test_harness

from tasks.core.cluster_fake import FakeCluster
from tests.unit.tasks.guard.stand_in import StandIn, paging_goes_to, standing_in
from tests.unit.tasks.rollout.world import World

STARTUP_SECONDS = 180
"""On a machine with something else to do the server takes its time."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in its own hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of a file share a server: starting one takes a while."""
    for item in items:
        if "prefect" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(f"prefect {item.path.stem}"))


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server with a database, results and logs of the tests' own, which leaves nothing behind."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    patch.setenv("DO_NOT_TRACK", "1")
    own = {PREFECT_HOME: tmp_path_factory.mktemp("prefect"), PREFECT_LOGGING_LEVEL: "CRITICAL"}
    with temporary_settings(own), prefect_test_harness(STARTUP_SECONDS):
        yield
    patch.undo()


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
    for stage in ("rollout", "audit", "approval"):
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
