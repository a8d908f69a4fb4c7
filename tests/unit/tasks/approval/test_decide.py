from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.approval.decide import decide_approval
from tasks.approval.model import (
    Answer,
    Approver,
    Attempt,
    Choice,
    Judged,
    Request,
    Ruling,
)
from tasks.core.gates import Approval

NOON = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ANA = Approver("ana", ("ana@example.com", "ana@home.example"), SECRET)
REQUEST = Request(
    application="shop",
    environment="prod",
    release="r-0123456789ab",
    plan="p-1",
    author="Rui",
    author_email="rui@example.com",
    opened_at=NOON - timedelta(hours=1),
    rules=Approval(approvers=("ana", "rui", "eva")),
)


def code(at: datetime, secret: str = SECRET) -> str:
    return pyotp.TOTP(secret).at(at)


def answer(at: datetime = NOON, given: str | None = None) -> Answer:
    code_given = code(at) if given is None else given
    return Answer("ana", code_given, Choice.APPROVE, "", at, question="prod-p-1")


def failures(*minutes_ago: float) -> tuple[Attempt, ...]:
    return tuple(Attempt(NOON - timedelta(minutes=ago), "elsewhere") for ago in minutes_ago)


def rules(**changes: object) -> Request:
    return replace(REQUEST, rules=replace(REQUEST.rules, **changes))  # type: ignore[arg-type]


REJECTING = replace(answer(), choice=Choice.REJECT, comment="not before the holidays")
RULINGS = {
    "a listed person with the right code approves": (
        (REQUEST, answer(), ANA, ()),
        (Ruling.APPROVED, "ana said yes"),
    ),
    "a yes to another question, such as the gate before this one, is none": (
        (REQUEST, replace(answer(), question="prod-p-0"), ANA, ()),
        (Ruling.REFUSED, "the answer is to prod-p-0, and prod-p-1 is asked"),
    ),
    "the comment stands in the record": (
        (REQUEST, replace(answer(), comment="checked"), ANA, ()),
        (Ruling.APPROVED, "ana said yes: checked"),
    ),
    "spaces in a code do not matter": (
        (REQUEST, answer(given=f"{code(NOON)[:3]} {code(NOON)[3:]}"), ANA, ()),
        (Ruling.APPROVED, "ana said yes"),
    ),
    "the code of the step before still counts": (
        (REQUEST, answer(given=code(NOON - timedelta(seconds=30))), ANA, ()),
        (Ruling.APPROVED, "ana said yes"),
    ),
    "the code of the step after counts already": (
        (REQUEST, answer(given=code(NOON + timedelta(seconds=30))), ANA, ()),
        (Ruling.APPROVED, "ana said yes"),
    ),
    "a code of a minute ago is wrong": (
        (REQUEST, answer(given=code(NOON - timedelta(seconds=60))), ANA, ()),
        (Ruling.REFUSED, "wrong code of ana"),
    ),
    "an empty code is wrong": (
        (REQUEST, answer(given=""), ANA, ()),
        (Ruling.REFUSED, "wrong code of ana"),
    ),
    "digits of another script are wrong": (
        (REQUEST, answer(given="٠١٢٣٤٥"), ANA, ()),
        (Ruling.REFUSED, "wrong code of ana"),
    ),
    "somebody who is not on the list does not count, even with the right code": (
        (rules(approvers=("eva",)), answer(), ANA, ()),
        (Ruling.REFUSED, "ana is no approver of prod"),
    ),
    "somebody who is listed and not enrolled does not count": (
        (REQUEST, answer(), None, ()),
        (Ruling.REFUSED, "ana is not enrolled: slipway approver add ana"),
    ),
    "a right code with no says no, with the reason": (
        (REQUEST, REJECTING, ANA, ()),
        (Ruling.REJECTED, "ana said no: not before the holidays"),
    ),
    "a wrong code cannot say no either": (
        (REQUEST, replace(REJECTING, code="000000"), ANA, ()),
        (Ruling.REFUSED, "wrong code of ana"),
    ),
    "a required comment must be there": (
        (rules(comment=True), replace(answer(), comment=" "), ANA, ()),
        (Ruling.REFUSED, "a comment is required"),
    ),
    "and say something": (
        (rules(comment=True), replace(answer(), comment="\u200b\u3164\u2800 ."), ANA, ()),
        (Ruling.REFUSED, "a comment is required"),
    ),
    "nobody counts twice": (
        (rules(count=2), answer(), ANA, ("ana",)),
        (Ruling.REFUSED, "ana has approved already, 2 different people must"),
    ),
    "a second person counts": (
        (rules(count=2), answer(), ANA, ("eva",)),
        (Ruling.APPROVED, "ana said yes"),
    ),
    "the author by address cannot approve, in whatever case": (
        (replace(REQUEST, author_email="Ana@Home.example"), answer(), ANA, ()),
        (Ruling.REFUSED, "ana is the commit's author, somebody else must approve"),
    ),
    "the author by name cannot approve": (
        (replace(REQUEST, author=" Ana "), answer(), ANA, ()),
        (Ruling.REFUSED, "ana is the commit's author, somebody else must approve"),
    ),
    "the author by the forge's private address cannot approve": (
        (replace(REQUEST, author_email="123+ana@users.noreply.github.com"), answer(), ANA, ()),
        (Ruling.REFUSED, "ana is the commit's author, somebody else must approve"),
    ),
    "somebody without an address could be the author": (
        (REQUEST, answer(), replace(ANA, emails=()), ()),
        (Ruling.REFUSED, "ana has no e-mail address, so that authorship cannot be ruled out"),
    ),
    "the author may approve where that is allowed": (
        (replace(rules(not_author=False), author_email="ana@example.com"), answer(), ANA, ()),
        (Ruling.APPROVED, "ana said yes"),
    ),
    "the author may always say no": (
        (replace(REQUEST, author_email="ana@example.com"), REJECTING, ANA, ()),
        (Ruling.REJECTED, "ana said no: not before the holidays"),
    ),
    "an answer in the last instant counts": (
        (rules(expires=timedelta(hours=1)), answer(), ANA, ()),
        (Ruling.APPROVED, "ana said yes"),
    ),
    "an answer after the end is a refusal of the release": (
        (rules(expires=timedelta(minutes=59)), answer(), ANA, ()),
        (Ruling.REJECTED, "the request ended on 2026-06-01 at 11:59 UTC, before ana answered"),
    ),
    "four wrong codes do not lock": (
        (REQUEST, answer(), replace(ANA, failures=failures(1, 2, 3, 4)), ()),
        (Ruling.APPROVED, "ana said yes"),
    ),
    "five wrong codes within 15 minutes lock, even for the right one": (
        (REQUEST, answer(), replace(ANA, failures=failures(1, 2, 3, 4, 14.9)), ()),
        (Ruling.REFUSED, "ana is locked for 15 minutes after 5 wrong codes"),
    ),
    "a failure 15 minutes ago counts no more": (
        (REQUEST, answer(), replace(ANA, failures=failures(1, 2, 3, 4, 15)), ()),
        (Ruling.APPROVED, "ana said yes"),
    ),
    "wrong codes that came later and were judged earlier lock too": (
        (REQUEST, answer(), replace(ANA, failures=failures(-1, -2, -3, -4, -5)), ()),
        (Ruling.REFUSED, "ana is locked for 15 minutes after 5 wrong codes"),
    ),
}
Facts = tuple[Request, Answer, Approver | None, tuple[str, ...]]


@pytest.mark.parametrize(("facts", "expected"), RULINGS.values(), ids=RULINGS.keys())
def test_an_answer_counts_as(facts: Facts, expected: tuple[Ruling, str]) -> None:
    ruling, reason = expected
    decision = decide_approval(*facts).decision
    assert (decision.ruling, decision.approver, decision.reason) == (ruling, "ana", reason)


def after(judged: Judged) -> Approver:
    assert judged.approver is not None
    return judged.approver


def test_a_code_counts_once_whatever_the_answer_counted_as() -> None:
    silent = decide_approval(rules(comment=True), answer(), ANA)
    again = replace(answer(NOON + timedelta(seconds=5)), comment="now with one")
    second = decide_approval(rules(comment=True), again, after(silent))
    assert second.decision.reason == "this code of ana was used already, wait for the next"
    assert second.approver == silent.approver


def test_a_code_for_one_plan_is_no_code_for_another() -> None:
    first = decide_approval(REQUEST, answer(), ANA)
    other = decide_approval(replace(REQUEST, plan="p-2"), answer(), after(first))
    assert other.decision.ruling is Ruling.REFUSED


def test_the_same_answer_is_judged_alike_after_a_crash() -> None:
    first = decide_approval(REQUEST, answer(), ANA)
    assert decide_approval(REQUEST, answer(), after(first)) == first


def test_the_same_wrong_answer_fails_once() -> None:
    wrong = answer(given="000000")
    first = decide_approval(REQUEST, wrong, ANA)
    assert len(after(first).failures) == 1
    assert decide_approval(REQUEST, wrong, after(first)) == first


def test_the_sixth_wrong_code_finds_the_door_locked_and_does_not_prolong_it() -> None:
    approver = ANA
    reasons = []
    for second in range(6):
        wrong = answer(NOON + timedelta(seconds=second), given="000000")
        judged = decide_approval(REQUEST, wrong, approver)
        approver = after(judged)
        reasons.append(judged.decision.reason)
    assert reasons == [
        *["wrong code of ana"] * 5,
        "ana is locked for 15 minutes after 5 wrong codes",
    ]
    assert len(approver.failures) == 5
    later = decide_approval(REQUEST, answer(NOON + timedelta(minutes=16)), approver)
    assert later.decision.ruling is Ruling.APPROVED


UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PEOPLE = st.sampled_from(["ana", "ana", "ana", "rui", "eva", "mallory"])
SHIFTS = st.sampled_from([0, 0, 0, -30, 30, -61, 61])


@st.composite
def situations(draw: st.DrawFn) -> Facts:
    """Everything that a decision looks at; about a quarter of them are approvals."""
    name = draw(PEOPLE)
    at = NOON + timedelta(seconds=draw(st.integers(-3600, 10**6)))
    request = replace(
        rules(
            not_author=draw(st.booleans()),
            comment=draw(st.booleans()),
            count=draw(st.integers(1, 3)),
            expires=timedelta(seconds=draw(st.integers(10**4, 10**7))),
        ),
        author=draw(st.sampled_from(["Rui", "eva", "Ana"])),
        author_email=f"{draw(st.sampled_from(['rui', 'eva', 'ana']))}@example.com",
    )
    said = Answer(
        name,
        code(at + timedelta(seconds=draw(SHIFTS))),
        draw(st.sampled_from([Choice.APPROVE, Choice.APPROVE, Choice.REJECT])),
        draw(st.sampled_from(["", " ", "checked", "checked"])),
        at,
        question=draw(st.sampled_from([request.question, request.question, "prod-p-2"])),
    )
    approver = Approver(name, (f"{name}@example.com",), SECRET)
    earlier = tuple(draw(st.sets(st.sampled_from(["ana", "rui", "eva"]), max_size=1)))
    return request, said, draw(st.sampled_from([approver, approver, None])), earlier


def is_proven(facts: Facts) -> bool:
    request, said, approver, _ = facts
    near = (timedelta(seconds=seconds) for seconds in (-30, 0, 30))
    return (
        approver is not None
        and said.question == request.question
        and said.approver in request.rules.approvers
        and said.answered_at - request.opened_at <= request.rules.expires
        and said.code in {code(said.answered_at + shift) for shift in near}
    )


@UNHURRIED
@given(situations())
def test_exactly_who_is_listed_proven_in_time_new_and_not_the_author_approves(
    facts: Facts,
) -> None:
    request, said, _, earlier = facts
    wrote_it = said.approver in (request.author.lower(), request.author_email.split("@")[0])
    may = (
        is_proven(facts)
        and said.choice is Choice.APPROVE
        and said.approver not in earlier
        and not (request.rules.comment and not said.comment.strip())
        and not (request.rules.not_author and wrote_it)
    )
    assert (decide_approval(*facts).decision.ruling is Ruling.APPROVED) == may


@UNHURRIED
@given(situations(), st.integers(1, 59_999))
def test_a_code_that_was_right_is_never_right_again(facts: Facts, milliseconds: int) -> None:
    request, said, approver, earlier = facts
    first = decide_approval(*facts)
    assert is_proven(facts) == bool(first.approver and first.approver.used)
    replayed = replace(said, answered_at=said.answered_at + timedelta(milliseconds=milliseconds))
    second = decide_approval(request, replayed, first.approver, earlier)
    if approver is not None and is_proven(facts):
        assert second.decision.ruling is not Ruling.APPROVED
        assert after(second).used == after(first).used
