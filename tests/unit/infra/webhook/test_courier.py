from pathlib import Path
from typing import Any

import pytest

from infra.webhook.model import State
from infra.webhook.store import Store
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.triggers import Trigger
from tests.unit.infra.webhook.world import ONE, TWO, World, push, repository


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


def pushed(commit: str, at: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 fields of the payload
    told = push(commit, **more)
    return {**told, "repository": {**told["repository"], "pushed_at": 1780000000 + at}}


def ended(commit: str, number: int, **more: object) -> dict[str, Any]:
    run = {
        "id": number,
        "workflow_id": 1,
        "run_number": number,
        "name": "ci",
        "conclusion": "success",
        "head_branch": "main",
        "head_sha": commit,
        "head_repository": {"full_name": "acme/shop"},
        **more,
    }
    return {"action": "completed", "workflow_run": run, "repository": push()["repository"]}


PATHS = (Trigger("push", paths=("api/**",)), Trigger("push", until="dev"))
SKIPPED = {"id": TWO, "message": "[skip ci]", "added": ["api/new.py"]}
DOCS = {"id": TWO, "message": "Write", "added": ["docs/new.md"]}
LATER = "event 1 tells of a later one"


@pytest.mark.parametrize(
    ("triggers", "later", "earlier", "expected"),
    [
        pytest.param((), pushed(TWO, 2), pushed(ONE, 1), LATER, id="an older push"),
        pytest.param((), pushed(TWO, 1), pushed(ONE, 1), None, id="pushes of one second"),
        pytest.param(
            (), pushed(TWO, 2, head_commit=SKIPPED), pushed(ONE, 1), None, id="a skipped commit"
        ),
        pytest.param(
            PATHS,
            pushed(TWO, 2, head_commit=DOCS, commits=[DOCS]),
            pushed(ONE, 1),
            None,
            id="one that does not go as far",
        ),
        pytest.param(
            (Trigger("push", paths=("docs/**",)), Trigger("push", until="dev")),
            pushed(TWO, 2, head_commit=DOCS, commits=[DOCS]),
            pushed(ONE, 1),
            LATER,
            id="one that goes farther",
        ),
        pytest.param(
            (Trigger("push", branches=("*",)),),
            pushed(TWO, 2, ref="refs/heads/next"),
            pushed(ONE, 1),
            None,
            id="another branch",
        ),
        pytest.param(
            (Trigger("workflow_run"),), ended(TWO, 6), ended(ONE, 5), LATER, id="an older workflow"
        ),
        pytest.param(
            (Trigger("workflow_run"),),
            ended(TWO, 6),
            ended(ONE, 5, workflow_id=2),
            None,
            id="another workflow, whatever it is called",
        ),
        pytest.param(
            (Trigger("workflow_run"),),
            ended(TWO, 6, conclusion="failure"),
            ended(ONE, 5),
            None,
            id="one that failed",
        ),
    ],
)
def test_an_older_commit_that_arrives_later_does_not_replace_a_newer_one(
    world: World,
    triggers: tuple[Trigger, ...],
    later: dict[str, Any],
    earlier: dict[str, Any],
    expected: str | None,
) -> None:
    if triggers:
        world.store.register(repository(*triggers))
    name = "push" if "ref" in later else "workflow_run"
    for number, payload in enumerate((later, earlier)):
        world.send(payload, name, f"d-{number}")
    world.courier.deliver()
    newest = world.store.newest(1)[0].outcome
    assert (newest.reason if newest.state is State.IGNORED else None) == expected


def test_an_old_workflow_that_is_run_again_stays_old_whatever_came_in_between(
    world: World,
) -> None:
    world.store.register(repository(Trigger("workflow_run", workflows=("ci",))))
    payloads = [ended(TWO, 500)]
    payloads += [
        ended(TWO, each, id=1000 + each, workflow_id=2, name="stale") for each in range(1, 80)
    ]
    payloads.append(ended(ONE, 3))
    for number, payload in enumerate(payloads):
        world.send(payload, "workflow_run", f"d-{number}")
    while world.courier.deliver():
        pass
    newest = world.store.newest(1)[0].outcome
    assert (newest.state, newest.reason) == (State.IGNORED, "event 1 tells of a later one")


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
