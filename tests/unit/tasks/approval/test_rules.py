"""The rules of an environment: later approvers, colleagues' commits, closed times and overrides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.approval.decide import decide_approval
from tasks.approval.model import Answer, Approver, Choice, Decision, Request, Ruling
from tasks.core.calendar import Calendar
from tasks.core.gates import Approval, Escalation, Freeze, Override, Person, Window

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
MONDAY = datetime(2026, 6, 1, 12, tzinfo=UTC)
SATURDAY = datetime(2026, 6, 6, 12, tzinfo=UTC)
THAW = datetime(2026, 6, 8, 8, tzinfo=UTC)
WEEKEND = Freeze(start="Fri 16:00", end="Mon 08:00", reason="nobody is here")
RULES = Approval(approvers=("ana", "bo"))
REQUEST = Request(
    application="shop",
    environment="prod",
    release="r-0123456789ab",
    plan="p-1",
    author="Rui",
    author_email="rui@example.com",
    opened_at=MONDAY,
    rules=RULES,
    calendar=Calendar(freezes=(WEEKEND,)),
    overriders=("maria", "bo"),
)
FROZEN = "frozen until Mon 2026-06-08 08:00 UTC (nobody is here)"


def said(name: str, at: datetime, choice: Choice = Choice.APPROVE, comment: str = "") -> Answer:
    return Answer(name, pyotp.TOTP(SECRET).at(at), choice, comment, at, question="prod-p-1")


def judged(request: Request, answer: Answer, earlier: tuple[str, ...] = ()) -> Decision:
    person = Approver(answer.approver, (f"{answer.approver}@example.com",), SECRET)
    return decide_approval(request, answer, person, earlier).decision


AT_FREEZE = replace(REQUEST, opened_at=SATURDAY)
OVERRIDDEN = replace(AT_FREEZE, override=Override("maria", "the shop is down", SATURDAY))
LATER_FREEZE = replace(
    OVERRIDDEN,
    calendar=Calendar(
        freezes=(WEEKEND, Freeze(start="2026-06-08 08:00", end="2026-06-09", reason="a sale"))
    ),
)
SALE_MEANWHILE = replace(
    OVERRIDDEN,
    calendar=Calendar(
        freezes=(WEEKEND, Freeze(start="2026-06-06 20:00", end="2026-06-06", reason="a sale"))
    ),
)
CLOSED = {
    "an approver's yes in a freeze does not count, and says who could override it": (
        (AT_FREEZE, said("ana", SATURDAY), ()),
        Decision(
            Ruling.REFUSED, "ana", f"{FROZEN}: a yes counts after that, or maria or bo overrides it"
        ),
    ),
    "a no in a freeze counts": (
        (AT_FREEZE, said("ana", SATURDAY, Choice.REJECT), ()),
        Decision(Ruling.REJECTED, "ana", "ana said no"),
    ),
    "an overrider has to say why": (
        (AT_FREEZE, said("maria", SATURDAY, comment="  "), ()),
        Decision(
            Ruling.REFUSED, "maria", f"{FROZEN}: to override that, the comment has to say why"
        ),
    ),
    "an overrider who is no approver opens the freeze and approves nothing": (
        (AT_FREEZE, said("maria", SATURDAY, comment="the shop is down"), ()),
        Decision(
            Ruling.APPROVED,
            "maria",
            f"maria overrode that it is {FROZEN}: the shop is down",
            Override("maria", "the shop is down", SATURDAY),
            counts=False,
        ),
    ),
    "an overrider who is an approver does both at once": (
        (AT_FREEZE, said("bo", SATURDAY, comment="the shop is down"), ()),
        Decision(
            Ruling.APPROVED,
            "bo",
            f"bo overrode that it is {FROZEN}: the shop is down",
            Override("bo", "the shop is down", SATURDAY),
        ),
    ),
    "an overrider who approved before the freeze still counts once": (
        (AT_FREEZE, said("bo", SATURDAY, comment="now"), ("bo",)),
        Decision(
            Ruling.APPROVED,
            "bo",
            f"bo overrode that it is {FROZEN}: now",
            Override("bo", "now", SATURDAY),
            counts=False,
        ),
    ),
    "after the override an approver's yes counts": (
        (OVERRIDDEN, said("ana", SATURDAY), ()),
        Decision(Ruling.APPROVED, "ana", "ana said yes"),
    ),
    "an overrider is no approver while nothing is closed": (
        (REQUEST, said("maria", MONDAY, comment="I like it"), ()),
        Decision(Ruling.REFUSED, "maria", "nothing is closed that maria could override"),
    ),
    "nor once somebody has overridden it": (
        (OVERRIDDEN, said("maria", SATURDAY, comment="again"), ()),
        Decision(Ruling.REFUSED, "maria", "nothing is closed that maria could override"),
    ),
    "so does one that begins while the one that was overridden still would": (
        (SALE_MEANWHILE, said("ana", SATURDAY + timedelta(hours=9)), ()),
        Decision(
            Ruling.REFUSED,
            "ana",
            "frozen until Sun 2026-06-07 00:00 UTC (a sale): a yes counts after that, "
            "or maria or bo overrides it",
        ),
    ),
    "a freeze that begins after the one that was overridden holds": (
        (LATER_FREEZE, said("ana", THAW), ()),
        Decision(
            Ruling.REFUSED,
            "ana",
            "frozen until Wed 2026-06-10 00:00 UTC (a sale): a yes counts after that, "
            "or maria or bo overrides it",
        ),
    ),
    "an overrider may not override for their own commit": (
        (replace(AT_FREEZE, author="bo"), said("bo", SATURDAY, comment="mine"), ()),
        Decision(Ruling.REFUSED, "bo", "bo is the commit's author, somebody else must approve"),
    ),
    "somebody else overrides nothing, whatever the comment": (
        (AT_FREEZE, said("mallory", SATURDAY, comment="the shop is down"), ()),
        Decision(Ruling.REFUSED, "mallory", "mallory is no approver of prod"),
    ),
    "a yes after the freeze counts, although its request was opened in it": (
        (AT_FREEZE, said("ana", SATURDAY + timedelta(days=2)), ()),
        Decision(Ruling.APPROVED, "ana", "ana said yes"),
    ),
    "the time to answer begins when the freeze ends": (
        (AT_FREEZE, said("ana", SATURDAY + timedelta(days=2, hours=21)), ()),
        Decision(
            Ruling.REJECTED,
            "ana",
            "the request ended on 2026-06-09 at 08:00 UTC, before ana answered",
        ),
    ),
}
Case = tuple[Request, Answer, tuple[str, ...]]


@pytest.mark.parametrize(("case", "expected"), CLOSED.values(), ids=CLOSED.keys())
def test_what_the_calendar_closes(case: Case, expected: Decision) -> None:
    assert replace(judged(*case), means=None) == expected


def test_outside_the_windows_is_closed_like_a_freeze() -> None:
    office = Calendar((Window(start="Mon 09:00", end="Mon 11:00"),))
    decision = judged(replace(REQUEST, calendar=office, overriders=()), said("ana", MONDAY))
    assert decision.ruling is Ruling.REFUSED
    assert decision.reason == (
        "outside its windows until Mon 2026-06-08 09:00 UTC: a yes counts after that"
    )


ESCALATING = replace(
    REQUEST, rules=replace(RULES, escalate=Escalation(timedelta(hours=12), ("dora",)))
)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param(11.99, "dora may approve from 2026-06-02 00:00 UTC on", id="too early"),
        pytest.param(12, "dora said yes", id="when it was escalated"),
    ],
)
def test_whom_it_is_escalated_to_may_approve_from_then_on_told_or_not(
    hours: float, expected: str
) -> None:
    assert judged(ESCALATING, said("dora", MONDAY + timedelta(hours=hours))).reason == expected


def test_who_was_asked_first_may_approve_after_the_escalation_too() -> None:
    later = MONDAY + timedelta(hours=20)
    assert judged(ESCALATING, said("ana", later)).ruling is Ruling.APPROVED


def test_a_request_that_begins_in_a_freeze_escalates_after_its_end() -> None:
    request = replace(ESCALATING, opened_at=SATURDAY)
    assert request.escalates_at == datetime(2026, 6, 8, 20, tzinfo=UTC)


COMMITTERS = (
    Person("Somebody", "Ana@Example.com"),
    Person("bo", "bo@elsewhere.example"),
    Person("Eva", "17+eva@users.noreply.github.com"),
)
BARRED = replace(
    REQUEST,
    rules=replace(RULES, approvers=("ana", "bo", "eva", "li"), not_committers=True),
    committers=COMMITTERS,
)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        pytest.param("ana", False, id="by an address, in whatever case"),
        pytest.param("bo", False, id="by a name"),
        pytest.param("eva", False, id="by the forge's private address"),
        pytest.param("li", True, id="who has not committed any of it"),
    ],
)
def test_who_has_committed_some_of_the_range_cannot_approve_it(name: str, *, counts: bool) -> None:
    decision = judged(BARRED, said(name, MONDAY))
    said_no = f"{name} has committed some of this, somebody else must approve"
    assert decision.reason == (f"{name} said yes" if counts else said_no)


def test_committers_may_approve_where_the_rules_do_not_bar_them() -> None:
    rules = replace(BARRED.rules, not_committers=False)
    assert judged(replace(BARRED, rules=rules), said("ana", MONDAY)).ruling is Ruling.APPROVED


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["ana", "bo", "maria", "dora", "mallory"]),
    st.integers(0, 7 * 24 * 60),
    st.sampled_from([None, Override("maria", "down", SATURDAY)]),
    st.sampled_from(["", "the shop is down"]),
)
def test_a_yes_takes_effect_in_a_closed_time_only_by_an_overrider_with_a_reason(
    name: str, minutes: int, override: Override | None, comment: str
) -> None:
    opened = replace(ESCALATING, rules=replace(ESCALATING.rules, expires=timedelta(days=30)))
    request = replace(opened, override=override)
    at = MONDAY + timedelta(minutes=minutes)
    decision = judged(request, said(name, at, comment=comment))
    closed = request.closed_at(at)
    if decision.ruling is Ruling.APPROVED and closed:
        assert name in request.overriders
        assert decision.override == Override(name, comment, at)
        assert comment
    if decision.ruling is Ruling.APPROVED and decision.counts:
        assert name in request.approvers_at(at)
    assert decision.override is None or closed
