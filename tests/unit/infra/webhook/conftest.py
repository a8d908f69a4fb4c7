from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.infra.webhook.world import World, repository


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A receiver that knows the repository acme/shop."""
    made = World(tmp_path)
    made.store.register(repository())
    with made.serving():
        yield made
    made.store.close()
