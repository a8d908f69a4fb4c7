from collections import Counter
from dataclasses import replace
from pathlib import Path

from infra.webhook.model import Kept, Repository, State
from tasks.core.triggers import Trigger
from tests.unit.infra.webhook.github_examples import Example, examples
from tests.unit.infra.webhook.world import World, application

RULES = (
    Trigger("push", branches=("**",), tags=("**",)),
    Trigger("release"),
    Trigger("workflow_run"),
    Trigger("deployment"),
)
STARTING = {trigger.event for trigger in RULES}
LET_BE = "Slipway does nothing for such an event"


def test_every_payload_that_github_shows_is_started_or_let_be_for_its_reason(
    tmp_path: Path,
) -> None:
    world, sent = World(tmp_path), list(examples())
    assert len(sent) > 700
    _register_all(world, sent)
    with world.serving():
        for number, example in enumerate(sent):
            answer = world.send(example.payload, example.event, f"d-{number}")
            # the servers' versions show many a payload alike
            assert answer.status_code in {200, 202}, example
    while world.courier.deliver():
        pass
    kept = world.store.newest(len(sent))
    world.store.close()
    assert {each.outcome.state for each in kept} == {State.DELIVERED, State.IGNORED}
    found = Counter(
        f"{each.event.name} {_action(sent, each)}{_became(each)}"
        for each in kept
        if each.event.name in STARTING
    )
    assert dict(found) == EXPECTED
    others = [each for each in kept if each.event.name not in {*STARTING, "pull_request", "ping"}]
    assert {(each.outcome.state, each.outcome.reason) for each in others} == {
        (State.IGNORED, LET_BE)
    }
    assert len({each.event.name for each in others}) > 50


def _register_all(world: World, sent: list[Example]) -> None:
    names = {example.payload.get("repository", {}).get("full_name") for example in sent} - {None}
    for number, name in enumerate(sorted(names)):
        described = replace(application(*RULES), application=f"shop-{number}")
        environments = {"production": described.environments["prod"], **described.environments}
        described = replace(described, environments=environments)
        world.store.register(Repository(name, f"https://git.example/{name}.git", described))


def _action(sent: list[Example], kept: Kept) -> str:
    example = sent[int(kept.event.delivery.removeprefix("d-"))]
    action = example.payload.get("action")
    return f"{action} " if action else ""


def _became(kept: Kept) -> str:
    outcome = kept.outcome
    return "starts a run" if outcome.state is State.DELIVERED else outcome.reason


EXPECTED = {
    "deployment created starts a run": 1,
    "deployment starts a run": 1,
    "push refs/tags/simple-tag was deleted": 2,
    "push starts a run": 3,
    "release created the release is a draft or was created, not published": 3,
    "release deleted the release is a draft or was deleted, not published": 2,
    "release edited the release is a draft or was edited, not published": 2,
    "release prereleased the release is a draft or was prereleased, not published": 2,
    "release published starts a run": 2,
    "workflow_run completed starts a run": 1,
    "workflow_run completed the workflow ran on the code of a fork": 1,
    "workflow_run requested the workflow is requested, not a success": 1,
}
"""Events, their actions and what becomes of them, with how many differ from each other."""
