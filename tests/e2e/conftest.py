"""What end-to-end tests share: a lab of their own, instance "test"."""

import os
from collections.abc import Iterator

import pytest

from infra import lab as labs
from infra.lab import LabStatus

__all__: list[str] = []


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
