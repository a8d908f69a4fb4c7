from pathlib import Path

import pytest

from infra.webhook.store import Store
from tasks.core.errors import ConfigError, Unavailable
from tests.unit.infra.webhook.world import ONE, TWO, World, push


def test_a_run_is_created_once_however_often_the_courier_dies(world: World) -> None:
    world.send(push())
    world.prefect.kills = True
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            world.courier.deliver()
    world.prefect.kills = False
    world.courier.deliver()
    assert (world.prefect.asked, len(world.prefect.runs)) == (4, 1)
    assert world.states() == [("delivered", f"shop@{ONE[:12]}")]


def test_events_wait_for_prefect_and_then_go_in_their_order(world: World) -> None:
    for number, commit in enumerate((ONE, TWO)):
        world.send(push(commit), delivery=f"d-{number}")
    world.prefect.fault = Unavailable("is away")
    with pytest.raises(Unavailable):
        world.courier.deliver()
    assert [state for state, _ in world.states()] == ["stored", "stored"]
    assert world.prefect.asked == 1, "nothing overtakes what came before"
    world.prefect.fault = None
    world.courier.deliver()
    revisions = [start.parameters["revision"] for start in world.prefect.runs.values()]
    assert revisions == [ONE, TWO]


def test_what_prefect_refuses_does_not_hold_up_the_rest(world: World) -> None:
    world.send(push())
    world.prefect.fault = ConfigError("no such parameter")
    world.courier.deliver()
    assert world.states() == [("refused", "no such parameter")]
    world.prefect.fault = None
    assert world.courier.deliver() == 0


def test_the_address_is_the_registered_one_whatever_the_payload_says(world: World) -> None:
    world.send(push())
    world.courier.deliver()
    (start,) = world.prefect.runs.values()
    assert start.parameters["repository"] == "https://git.example/acme/shop.git"


def test_what_was_stored_is_there_after_a_restart(world: World) -> None:
    world.send(push())
    again = Store(world.store.path)
    assert len(again.waiting(10)) == 1
    assert again.repository("ACME/Shop") is not None
    again.close()


def test_a_store_of_a_newer_slipway_is_left_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "events.sqlite")
    store._connection.execute("PRAGMA user_version=99")
    store.close()
    with pytest.raises(ConfigError, match="version 99"):
        Store(tmp_path / "events.sqlite")
