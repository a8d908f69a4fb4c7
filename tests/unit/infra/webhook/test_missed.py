import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.webhook.github import read_event
from infra.webhook.heads import Head, branches_of, found_push, judge_heads, twin
from infra.webhook.missed import Missed, Sending, is_ours, judge, missing, since
from infra.webhook.model import Event, Kept, Look, Outcome, Push, State
from tasks.core.triggers import Trigger
from tests.unit.infra.webhook.world import ONE, TWO, ZERO, push, repository

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MAIN = "refs/heads/main"


def at(minutes: float) -> datetime:
    return NOON + MINUTE * minutes


def event(payload: dict[str, Any] | None = None, name: str = "push", guid: str = "d-1") -> Event:
    return read_event(name, guid, json.dumps(payload or push()).encode())


def pushed(minutes: float, commit: str = ONE, ref: str = MAIN) -> dict[str, Any]:
    payload = push(commit, ref)
    payload["repository"]["pushed_at"] = int(at(minutes).timestamp())
    return payload


def kept(what: Event, minutes: float, number: int = 1, state: State = State.DELIVERED) -> Kept:
    return Kept(number, at(minutes), what, Outcome(number, state, ""))


FIRST = Sending(1, "a", "push", at(0), arrived=False, again=False)
AGAIN = replace(FIRST, id=2, at=at(5), again=True)


@pytest.mark.parametrize(
    ("sendings", "known", "expected"),
    [
        pytest.param([FIRST], [], [1], id="it never came"),
        pytest.param([FIRST], ["a"], [], id="it came, whatever GitHub heard"),
        pytest.param([replace(FIRST, arrived=True)], [], [], id="somebody answered for it"),
        pytest.param([AGAIN, FIRST], [], [1], id="asked for once, in vain"),
        pytest.param([replace(AGAIN, arrived=True), FIRST], [], [], id="asked for with success"),
        pytest.param([AGAIN, AGAIN, AGAIN, FIRST], [], [], id="asked for three times"),
        pytest.param([AGAIN], [], [], id="the first try is long ago"),
        pytest.param([replace(FIRST, name="issues")], [], [], id="nobody needs it"),
        pytest.param(
            [replace(FIRST, id=3, guid="b"), FIRST], [], [1, 3], id="two, the oldest first"
        ),
    ],
)
def test_what_is_missing(sendings: list[Sending], known: list[str], expected: list[int]) -> None:
    assert [each.id for each in missing(sendings, known)] == expected


def test_a_hook_is_ours_when_something_has_come_from_it() -> None:
    assert is_ours([AGAIN, FIRST], ["a"])
    assert not is_ours([FIRST], ["b"])
    assert not is_ours([], ["a"])


def missed(payload: dict[str, Any] | None, minutes: float = 0, name: str = "push") -> Missed:
    sending = replace(FIRST, at=at(minutes), name=name)
    return Missed("/hook", sending, event(payload, name, "missed"))


def release(tag: str, number: int = 7) -> dict[str, Any]:
    found = {"id": number, "tag_name": tag}
    return {"action": "published", "release": found, "repository": push()["repository"]}


def workflow(name: str, conclusion: str = "success") -> dict[str, Any]:
    run = {
        "id": len(name),
        "name": name,
        "conclusion": conclusion,
        "head_branch": "main",
        "head_sha": ONE,
        "head_repository": {"full_name": "acme/shop"},
    }
    return {"action": "completed", "workflow_run": run, "repository": push()["repository"]}


NEWER = "something newer has taken its place"
EVERYTHING = (
    Trigger("push", branches=("**",), tags=("**",)),
    Trigger("release"),
    Trigger("workflow_run"),
)


@pytest.mark.parametrize(
    ("missing_", "came", "expected"),
    [
        pytest.param([missed(push())], [], [""], id="a push"),
        pytest.param([missed(push())], [kept(event(), -5)], ["it has come in another delivery"]),
        pytest.param([missed(push())], [kept(event(push(TWO)), 1)], [NEWER], id="pushed since"),
        pytest.param([missed(push())], [kept(event(push(TWO)), -1)], [""], id="pushed before"),
        pytest.param(
            [missed(push())], [kept(event(push(TWO, "refs/heads/x")), 1)], [""], id="elsewhere"
        ),
        pytest.param(
            [missed(push())],
            [kept(event(push(TWO)), 1, state=State.IGNORED)],
            [""],
            id="what came since starts nothing",
        ),
        pytest.param(
            [missed(push()), missed(push(TWO), 1)], [], [NEWER, ""], id="two pushes to a branch"
        ),
        pytest.param(
            [missed(push()), missed(push(ZERO, deleted=True), 1)],
            [],
            ["", f"{MAIN} was deleted"],
            id="deleted since",
        ),
        pytest.param(
            [missed(push(ref="refs/tags/v1")), missed(push(TWO, "refs/tags/v2"), 1)],
            [],
            ["", ""],
            id="two tags",
        ),
        pytest.param(
            [missed(release("v1"), name="release"), missed(release("v2", 9), 1, "release")],
            [],
            [NEWER, ""],
            id="two releases",
        ),
        pytest.param(
            [missed(workflow("ci"), name="workflow_run")],
            [kept(event(workflow("docs"), "workflow_run"), 1)],
            [""],
            id="another workflow has run since",
        ),
        pytest.param(
            [missed(workflow("ci", "failure"), name="workflow_run")],
            [],
            ["the workflow is failure, not a success"],
            id="it starts nothing",
        ),
    ],
)
def test_what_is_asked_for_again(
    missing_: list[Missed], came: list[Kept], expected: list[str]
) -> None:
    found = judge(missing_, came, repository(*EVERYTHING))
    assert [each.why_not for each in found] == expected


def test_for_a_repository_that_nobody_registered_nothing_is_asked() -> None:
    (found,) = judge([missed(push())], [], None)
    assert found.why_not == "acme/shop is not registered: slipway apply PATH"


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        pytest.param((), ("main",), id="without rules, the default branch"),
        pytest.param((Trigger("push"),), ("main",), id="a rule that names none"),
        pytest.param((Trigger("push", tags=("v*",)),), (), id="tags alone"),
        pytest.param((Trigger("release"),), (), id="other events alone"),
        pytest.param(
            (Trigger("push", branches=("next", "r/*")), Trigger("push")),
            ("next", "r/*", "main"),
            id="several",
        ),
    ],
)
def test_which_branches_are_looked_at(
    triggers: tuple[Trigger, ...], expected: tuple[str, ...]
) -> None:
    assert branches_of(repository(*triggers), "main") == expected


@pytest.mark.parametrize(
    ("before", "came", "expected"),
    [
        pytest.param(ONE, [], "unheard", id="nobody has told of it"),
        pytest.param(TWO, [], "known", id="as at the last look"),
        pytest.param(None, [], "unheard", id="a branch that is new"),
        pytest.param(ONE, [kept(event(pushed(1, TWO)), 1)], "known", id="told since"),
        pytest.param(ONE, [kept(event(pushed(-3, TWO)), -3)], "known", id="clocks differ"),
        pytest.param(
            ONE,
            [kept(event(pushed(2, TWO)), 3, 2), kept(event(pushed(1, ONE)), 4, 3)],
            "known",
            id="two pushes came in another order",
        ),
        pytest.param(
            TWO,
            [kept(event(pushed(1, ONE)), 1)],
            "unheard",
            id="forth and back, and the way back was missed",
        ),
        pytest.param(
            ONE, [kept(event(pushed(1, TWO, "refs/heads/x")), 1)], "unheard", id="another branch"
        ),
        pytest.param(
            ONE, [kept(event(pushed(-50, TWO)), -50)], "unheard", id="it was there long before"
        ),
    ],
)
def test_which_heads_nobody_has_told_of(
    before: str | None, came: list[Kept], expected: str
) -> None:
    look = Look(NOON, {MAIN: before} if before else {})
    heads = judge_heads([Head(MAIN, TWO)], look, came, awaited=())
    assert ("unheard" if heads.unheard else "known") == expected
    assert heads.seen == {MAIN: TWO}


def test_a_head_that_is_awaited_is_wondered_at_again() -> None:
    look = Look(NOON, {MAIN: ONE})
    heads = judge_heads([Head(MAIN, TWO)], look, [], awaited={MAIN})
    assert (heads.unheard, heads.young, heads.seen) == ((), (Head(MAIN, TWO),), {MAIN: ONE})


FOUND = found_push(repository(), Push(MAIN, ONE, "", None, "main", at(-5)), NOON)


@pytest.mark.parametrize(
    ("this", "earlier", "same"),
    [
        pytest.param(kept(event(pushed(-4)), 7, 2), kept(FOUND, 0), True, id="it comes late"),
        pytest.param(kept(event(pushed(4)), 7, 2), kept(FOUND, 0), False, id="it is pushed again"),
        pytest.param(kept(event(pushed(-4, TWO)), 7, 2), kept(FOUND, 0), False, id="another one"),
        pytest.param(kept(FOUND, 0, 2), kept(event(pushed(-1)), -1), True, id="it came meanwhile"),
        pytest.param(
            kept(FOUND, 0, 2), kept(event(pushed(-90)), -90), False, id="it came once before"
        ),
        pytest.param(
            kept(event(pushed(-4)), 7, 2), kept(event(pushed(-5)), 0), False, id="GitHub sent both"
        ),
        pytest.param(
            kept(event(push(repository={"full_name": "acme/shop"})), 7, 2),
            kept(FOUND, 0),
            False,
            id="nobody knows when it was pushed",
        ),
    ],
)
def test_a_push_that_was_found_is_the_one_that_was_sent(
    this: Kept, earlier: Kept, *, same: bool
) -> None:
    assert (twin(this, [earlier]) is earlier) is same


def test_deliveries_are_looked_at_for_as_long_as_github_has_them() -> None:
    look = Look(NOON, {})
    assert since(look, at(10)) == at(-60)
    assert since(look, at(10) + timedelta(days=9)) == at(10) + timedelta(days=6)
