"""Many events in one transaction: each is new or known, however many come at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.webhook.model import Event, Nothing, Outcome, State
from infra.webhook.rows import MOST_ROWS
from infra.webhook.store import Store
from tests.unit.tasks.releases import NOON


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "events.sqlite")
    yield made
    made.close()


def event(delivery: int, content: int) -> Event:
    return Event("github", "star", f"d-{delivery}", f"c-{content}", "acme/shop", "", Nothing("x"))


def test_more_events_than_a_statement_takes_are_stored_and_settled_in_their_order(
    store: Store,
) -> None:
    many = 2 * MOST_ROWS + 1
    known = range(0, many, 3)
    store.add([event(each, each) for each in known], NOON)
    new = store.add([event(each, each) for each in range(many)], NOON)
    assert new == tuple(each not in known for each in range(many))
    kept = store.waiting(2 * many)
    assert [each.event.delivery for each in kept[len(known) :]] == [
        f"d-{each}" for each in range(many) if each not in known
    ]
    store.settle(Outcome(each.id, State.IGNORED, f"was {each.id}") for each in kept)
    assert store.waiting(1) == ()
    assert store.newest(1)[0].outcome.reason == f"was {kept[-1].id}"


NUMBERS = st.integers(0, 5)


@given(st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=6), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_comes_at_once_is_new_where_neither_delivery_nor_content_came_before(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, int]]]
) -> None:
    store = Store(tmp_path_factory.mktemp("store") / "events.sqlite")
    deliveries: set[int] = set()
    contents: set[int] = set()
    for batch in batches:
        expected = []
        for delivery, content in batch:
            is_new = delivery not in deliveries and content not in contents
            expected.append(is_new)
            if is_new:
                deliveries.add(delivery)
                contents.add(content)
        assert store.add([event(*each) for each in batch], NOON) == tuple(expected)
    store.close()
