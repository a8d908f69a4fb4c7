import re
from dataclasses import replace
from datetime import timedelta

import pytest

from flows.notice import read_notice
from flows.questions import (
    approved_before,
    require_at_stake,
    rollback_request,
    settled,
    way_of,
)
from flows.views import Way, describe_rollback
from tasks.core.application import Environment
from tasks.core.errors import Conflict, GateClosed
from tasks.core.gates import Approval
from tasks.core.past import Past
from tasks.core.record import Change, ChangeKind, Plan, RolloutState
from tasks.core.slos import Slos
from tasks.core.strategy import RollbackRules
from tasks.core.target import Target
from tasks.rollout.model import Back
from tasks.rollout.place import place_without_repository
from tests.unit.flows.test_views import STAGING
from tests.unit.tasks.releases import NOON

PLACE = place_without_repository("shop", "prod", "shop-prod", Target("k", "c", "r", "b", "d"))
APPROVAL = Approval(approvers=("ana", "bo"), count=2, comment=True, expires=timedelta(hours=1))
LIVE = replace(STAGING, number=7, environment="prod")
NEXT = replace(LIVE.release, id="r-next")
UNDER_WAY = replace(LIVE, number=8, release=NEXT, state=RolloutState.STARTED)
PAST = Past(
    records=(LIVE,),
    live=7,
    goal=5,
    bad=(),
    rules=Environment("", "shop-prod").rollback,
    approval=APPROVAL,
    slos=Slos(),
)
NOW = NOON
UNASKED = replace(PAST, approval=None)


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        pytest.param(PAST, "back-from-7-to-5", id="one approver of the environment's"),
        pytest.param(UNASKED, None, id="whoever comes in unasked goes unasked"),
        pytest.param(
            replace(PAST, rules=RollbackRules(approval="none")), None, id="slipway.yaml says nobody"
        ),
        pytest.param(replace(PAST, live=None), None, id="nothing is live"),
        pytest.param(
            replace(PAST, records=(UNDER_WAY, LIVE)),
            "back-from-8-to-7",
            id="about the rollout that is under way",
        ),
    ],
)
def test_who_is_asked_about_a_rollback(past: Past, expected: str | None) -> None:
    request = rollback_request(PLACE, past, Back("it burns"), NOW)
    assert (request and request.plan) == expected


WITH_RELEASE = replace(
    PAST, rules=RollbackRules(approval="with release", window=timedelta(hours=1))
)
JUST_ENDED = NOW - timedelta(minutes=10)
"""When the live release's rollout was over."""


@pytest.mark.parametrize(
    ("past", "to", "minutes", "expected"),
    [
        pytest.param(WITH_RELEASE, None, 60, ("ana", "bo"), id="who approved the release"),
        pytest.param(WITH_RELEASE, 5, 60, ("ana", "bo"), id="its way back by its number"),
        pytest.param(WITH_RELEASE, None, 61, (), id="nobody after the window"),
        pytest.param(WITH_RELEASE, 2, 60, (), id="nobody where it goes elsewhere"),
        pytest.param(PAST, None, 60, (), id="nobody where it is a question of its own"),
        pytest.param(
            replace(WITH_RELEASE, records=(replace(LIVE, approved_by=()),)),
            None,
            60,
            (),
            id="nobody where nobody approved the release",
        ),
        pytest.param(
            replace(WITH_RELEASE, records=(replace(UNDER_WAY, finished_at=None), LIVE)),
            None,
            60,
            ("ana", "bo"),
            id="who approved what is under way",
        ),
    ],
)
def test_a_rollback_was_approved_with_its_release_by(
    past: Past, to: int | None, minutes: int, expected: tuple[str, ...]
) -> None:
    back, now = Back("it burns", to), JUST_ENDED + timedelta(minutes=minutes)
    assert approved_before(past, back, now) == expected
    assert (rollback_request(PLACE, past, back, now) is None) == bool(expected)


def test_one_person_is_enough_in_an_emergency_the_author_too() -> None:
    request = rollback_request(PLACE, PAST, Back("it burns", to=2), NOW)
    assert request is not None
    assert request.plan == "back-from-7-to-2"
    rules = request.rules
    assert (rules.approvers, rules.count) == (("ana", "bo"), 1)
    assert (rules.not_author, rules.comment) == (False, False)


@pytest.mark.parametrize(
    ("past", "to", "expected"),
    [
        pytest.param(PAST, None, LIVE.release.id, id="the release that somebody is asked about"),
        pytest.param(PAST, 5, LIVE.release.id, id="likewise where the goal is named"),
        pytest.param(UNASKED, None, LIVE.release.id, id="what is live, though nobody is asked"),
        pytest.param(UNASKED, 5, None, id="whatever is in the way to a goal that is named"),
        pytest.param(
            replace(UNASKED, records=(UNDER_WAY, LIVE)), None, NEXT.id, id="what is under way"
        ),
        pytest.param(replace(UNASKED, live=None), None, None, id="nothing where nothing is live"),
    ],
)
def test_a_rollback_is_against(past: Past, to: int | None, expected: str | None) -> None:
    back = Back("it burns", to)
    assert settled(back, past, rollback_request(PLACE, past, back, NOW)).blames == expected


def test_an_approver_reads_what_is_taken_back_and_why_the_last_answer_did_not_count() -> None:
    request = rollback_request(PLACE, PAST, Back("it *burns*"), NOW)
    assert request is not None
    text = describe_rollback(request, Back("it *burns*"), notice="wrong code of ana")
    assert read_notice(text) == "wrong code of ana"
    assert "shop: take `r-0123456789ab` back in prod" in text
    assert r"it \*burns\*" in text
    assert "goes to: the good rollout before it" in text


BEFORE = replace(
    LIVE, number=5, release=replace(LIVE.release, id="r-before", subject="Sell *less*")
)
TAKEN_BACK = replace(PAST, records=(LIVE, BEFORE), bad=("r-before",))


def test_an_approver_reads_between_which_rollouts_it_goes() -> None:
    past = replace(PAST, records=(LIVE, BEFORE))
    request = rollback_request(PLACE, past, Back("it burns"), NOW)
    assert request is not None
    text = describe_rollback(request, Back("it burns"), way_of(past, Back("it burns"), PLACE))
    assert re.search(r"takes back: rollout 7 of .* UTC, `r-0123456789ab`: ", text)
    assert re.search(r"goes to: rollout 5 of .* UTC, `r-before`: \*\*Sell \\\*less\\\*\*\*", text)
    assert "Changes" not in text
    under_way = replace(past, records=(UNDER_WAY, LIVE, BEFORE))
    assert way_of(under_way, Back("it burns"), PLACE) == Way(UNDER_WAY, LIVE)


def test_an_approver_reads_what_a_rollback_changes_where_that_is_known() -> None:
    request = rollback_request(PLACE, PAST, Back("it burns"), NOW)
    assert request is not None
    change = Change(ChangeKind.UPDATE, "ConfigMap/settings", "-colour: red\n+colour: blue")
    warning = "ConfigMap/settings was changed by somebody since rollout 7"
    plan = Plan("p-1", "prod", "shop-prod", "r-before", 7, (change,), (warning,))
    text = describe_rollback(request, Back("it burns"), Way(LIVE, BEFORE, plan))
    assert "### Changes: 1 changed" in text
    assert "-colour: red\n+colour: blue" in text
    assert f"⚠ {warning}" in text
    unknown = describe_rollback(request, Back("it burns"), Way(LIVE, BEFORE, restores=5))
    assert "What restoring would change could not be found out" in unknown


@pytest.mark.parametrize(
    ("past", "to", "why"),
    [
        pytest.param(TAKEN_BACK, 5, "rollout 5: its release was taken back itself", id="bad"),
        pytest.param(TAKEN_BACK, None, "an earlier good rollout: its release was", id="likewise"),
        pytest.param(PAST, None, "an earlier good rollout: no such rollout", id="the first"),
        pytest.param(PAST, 4, "rollout 4: no such rollout has succeeded", id="never"),
        pytest.param(PAST, LIVE.release.id, "is live already", id="live"),
    ],
)
def test_nobody_is_asked_about_a_way_that_leads_nowhere(
    past: Past, to: int | str | None, why: str
) -> None:
    with pytest.raises(GateClosed, match=why):
        way_of(past, Back("it burns", to), PLACE)


@pytest.mark.parametrize("to", [None, 5])
def test_an_answer_does_not_count_when_what_it_is_about_is_gone(to: int | None) -> None:
    back = replace(Back("it burns", to), blames=LIVE.release.id)
    require_at_stake(PAST, back, PLACE)
    with pytest.raises(Conflict, match="is not live any more"):
        require_at_stake(replace(PAST, records=(replace(LIVE, release=NEXT),)), back, PLACE)
