"""GitHub in a process of its own, forgetful from test to test."""

from collections.abc import Iterator

import pytest
import stamina

from tests.stand_ins.github import StandIn, fresh_world, standing_in


@pytest.fixture(scope="session")
def running() -> Iterator[StandIn]:
    with standing_in() as found:
        yield found


@pytest.fixture
def hub(running: StandIn) -> Iterator[StandIn]:
    """GitHub, which knows nothing yet; nobody waits before asking it again."""
    fresh = fresh_world("")
    del fresh["public_key"]
    running.knows(**fresh)
    stamina.set_testing(testing=True, attempts=4, cap=True)
    yield running
    stamina.set_testing(testing=False)
