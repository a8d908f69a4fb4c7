"""A cluster in memory behind the commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.target import choose
from tasks.core.cluster_fake import FakeCluster
from tasks.core.target import Target


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCluster:
    """This instance's cluster, whichever target a command connects to."""
    found = FakeCluster()

    @contextmanager
    def connect(_target: Target) -> Iterator[FakeCluster]:
        yield found

    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    monkeypatch.setattr("tasks.core.cluster_api.connect", connect)
    choose(Target("kubeconfig", "ctx", "r", "b", "d"))
    return found
