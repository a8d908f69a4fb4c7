"""What end-to-end tests share: a lab and a Slipway of their own, instance "test"."""

import os
from collections.abc import Iterator

import pytest

from infra import server
from infra.lab import lifecycle as labs
from infra.lab.lifecycle import LabStatus
from infra.server.registration import register
from infra.target import choose
from tests.e2e.pipeline_world import Pipeline, enrolled

__all__: list[str] = []


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in its own hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what may run side by side (make e2e): one Slipway serves all tests of the pipeline."""
    for item in items:
        uses_pipeline = "pipeline" in getattr(item, "fixturenames", ())
        alone = item.get_closest_marker("independent") is not None
        file = item.path.stem
        group = "pipeline" if uses_pipeline else item.nodeid if alone else file
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: item.get_closest_marker("afterwards") is not None)


@pytest.fixture(scope="session", autouse=True)
def own_instance() -> Iterator[None]:
    """Keep away from the lab and the Slipway that may be running on this machine."""
    patch = pytest.MonkeyPatch()
    patch.setenv("SLIPWAY_INSTANCE", os.environ.get("SLIPWAY_TEST_INSTANCE", "test"))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def lab(own_instance: None) -> Iterator[LabStatus]:  # noqa: ARG001 the instance comes first
    """The lab of the test's instance; ended afterwards unless it was up before."""
    before = labs.status().health
    yield labs.up()
    if before is labs.Health.DOWN:
        labs.down()


@pytest.fixture(scope="session")
def pipeline(
    lab: LabStatus,  # noqa: ARG001 the cluster comes first
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pipeline]:
    """Prefect's server and a worker on the lab; ended afterwards unless they were up before."""
    before = {each.name for each in server.daemons() if each.process() is not None}
    choose(labs.target())
    patch = pytest.MonkeyPatch()
    for name, value in server.server().environment().items():
        patch.setenv(name, value)
    try:
        server.up()
        register()
        runs = server.connect()
        with runs.api.http, enrolled() as secrets:
            yield Pipeline(runs, tmp_path_factory.mktemp("shops"), secrets)
    finally:
        for daemon in reversed(server.daemons()):
            if daemon.name not in before:
                daemon.stop()
        patch.undo()
