"""Properties are searched for as long as it takes; one Prefect server serves a process's tests."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("slipway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("slipway")

STARTUP_SECONDS = 180
"""On a machine with something else to do the server takes its time."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in its own hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file together that ask Prefect's server: they share its runs."""
    for item in items:
        if "prefect" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(f"prefect {item.path.stem}"))


@pytest.fixture
def prefect(prefect_server: None) -> Iterator[None]:  # noqa: ARG001 a client needs one
    """A server with a database, results and logs of the tests' own, which leaves nothing behind.

    Prefect's thread that sends events ends with each test: its WebSocket's pings draw from
    `random`, and Hypothesis fails a property during which somebody else does.
    """
    from prefect.events.worker import EventsWorker  # noqa: PLC0415

    yield
    EventsWorker.drain_all()


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    # what most tests do without takes two seconds to import
    from prefect.settings import (  # noqa: PLC0415
        PREFECT_HOME,
        PREFECT_LOGGING_LEVEL,
        temporary_settings,
    )
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    patch = pytest.MonkeyPatch()
    patch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    patch.setenv("DO_NOT_TRACK", "1")
    own = {PREFECT_HOME: tmp_path_factory.mktemp("prefect"), PREFECT_LOGGING_LEVEL: "CRITICAL"}
    with temporary_settings(own), prefect_test_harness(STARTUP_SECONDS):
        yield
    patch.undo()
