"""What end-to-end tests share: a lab and a Slipway of their own, instance "test"."""

import os
from collections.abc import Generator, Iterator

import pytest
from filelock import FileLock

from infra import server
from infra.lab import lifecycle as labs
from infra.lab.lifecycle import LabStatus
from infra.server.registration import register
from infra.target import choose
from tasks.core.paths import state_dir
from tests.e2e.pipeline_world import Pipeline, enrolled

__all__: list[str] = []

INSTANCE = os.environ.get("SLIPWAY_TEST_INSTANCE", "test")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in its own hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what may run side by side (make e2e)."""
    for item in items:
        alone = item.get_closest_marker("independent") is not None
        item.add_marker(pytest.mark.xdist_group(item.nodeid if alone else item.path.stem))
    items.sort(key=lambda item: item.get_closest_marker("afterwards") is not None)


@pytest.fixture(scope="session", autouse=True)
def own_instance() -> Iterator[None]:
    """Keep away from the lab and the Slipway that may be running on this machine."""
    patch = pytest.MonkeyPatch()
    patch.setenv("SLIPWAY_INSTANCE", INSTANCE)
    yield
    patch.undo()


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """End what the tests brought up, once the last process that shares it is through."""
    if hasattr(session.config, "workerinput"):
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIPWAY_INSTANCE", INSTANCE)
        lab_was_down = labs.status().health is labs.Health.DOWN
        ran = {each.name for each in server.daemons() if each.process() is not None}
        try:
            return (yield)
        finally:
            for daemon in reversed(server.daemons()):
                if daemon.name not in ran:
                    daemon.stop()
            if lab_was_down:
                labs.down()


@pytest.fixture(scope="session")
def lab(own_instance: None) -> LabStatus:  # noqa: ARG001 the instance comes first
    """The lab of the tests' instance."""
    return labs.up()


@pytest.fixture(scope="session")
def pipeline(
    lab: LabStatus,  # noqa: ARG001 the cluster comes first
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pipeline]:
    """Prefect's server and a worker on the lab, which the tests' processes share."""
    patch = pytest.MonkeyPatch()
    for name, value in server.server().environment().items():
        patch.setenv(name, value)
    try:
        with FileLock(state_dir() / "tests.lock"):
            _bring_up()
        runs = server.connect()
        with runs.api.http, enrolled() as secrets:
            yield Pipeline(runs, tmp_path_factory.mktemp("shops"), secrets)
    finally:
        patch.undo()


def _bring_up() -> None:
    """Start what does not run; of the processes that share it the first one registers the flows."""
    choose(labs.target())
    server.up()
    ours, done = os.environ.get("PYTEST_XDIST_TESTRUNUID"), state_dir() / "registered-by-tests"
    if ours is None or not done.is_file() or done.read_text() != ours:
        register()
        done.write_text(ours or "")
