"""A click in Slack counts for whom it is vouched for, for what was shown, soon, and once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.approval.approvers import MemoryApprovers
from tasks.approval.decide import decide_approval
from tasks.approval.effects import answer as judge
from tasks.approval.effects import enrol
from tasks.approval.key import key_file, read_key
from tasks.approval.model import Answer, Approver, Attempt, Choice, Click, Means, Request, Ruling
from tasks.approval.proof import Subject, vouch
from tasks.approval.slack import link, named
from tasks.core.errors import ConfigError
from tasks.core.gates import Approval

NOON = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
KEY = b"the key of receiver and worker"
ANA = Approver("ana", ("ana@example.com",), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", slack="U0ANA")
ABOUT = Subject("shop", "prod", "r-0123456789ab", "p-1")
REQUEST = Request(
    application="shop",
    environment="prod",
    release="r-0123456789ab",
    plan="p-1",
    author="Rui",
    author_email="rui@example.com",
    opened_at=NOON - timedelta(hours=3),
    rules=Approval(approvers=("ana", "eva")),
)
CLICK = Click("U0ANA", NOON)


def answer(
    choice: Choice = Choice.APPROVE,
    click: Click = CLICK,
    about: Subject = ABOUT,
    key: bytes = KEY,
    after: float = 1,
) -> Answer:
    at = NOON + timedelta(seconds=after)
    said = Answer("ana", "", choice, "", at, question=REQUEST.question)
    return replace(said, code=vouch(about, said, click, key))


OTHERS = "this answer from Slack was not given to what is asked here"
TURNED = replace(answer(), choice=Choice.REJECT)
AS_EVA = replace(answer(), approver="eva")
RULINGS = {
    "a click that is vouched for approves": (answer(), ANA, "ana said yes"),
    "so does one that waited for Prefect": (answer(after=3600), ANA, "ana said yes"),
    "a no is a no": (answer(Choice.REJECT), ANA, "ana said no"),
    "a click of an hour ago counts no more": (
        answer(after=3601),
        ANA,
        "this answer from Slack is older than an hour, give it again",
    ),
    "nor does one from the future": (
        answer(after=-301),
        ANA,
        "this answer from Slack is older than an hour, give it again",
    ),
    "for another plan": (answer(about=replace(ABOUT, plan="p-2")), ANA, OTHERS),
    "for another release": (answer(about=replace(ABOUT, release="r-2")), ANA, OTHERS),
    "for another environment": (answer(about=replace(ABOUT, environment="dev")), ANA, OTHERS),
    "for another application": (answer(about=replace(ABOUT, application="x")), ANA, OTHERS),
    "a no that was turned into a yes": (TURNED, ANA, OTHERS),
    "words that were put into somebody's mouth": (replace(answer(), comment="ok"), ANA, OTHERS),
    "another one's name above it": (AS_EVA, replace(ANA, name="eva"), OTHERS),
    "vouched for with another key": (answer(key=b"guessed"), ANA, OTHERS),
    "a click of somebody else's": (
        answer(click=Click("U0EVA", NOON)),
        ANA,
        "Slack's user U0EVA is not ana",
    ),
    "an approver without a user in Slack": (
        answer(),
        replace(ANA, slack=""),
        "Slack's user U0ANA is not ana",
    ),
    "nonsense": (
        replace(answer(), code="slack:U0ANA:1:2:3"),
        ANA,
        "nothing vouches for this answer from Slack",
    ),
    "five wrong codes lock codes, and not Slack": (
        answer(),
        replace(ANA, failures=tuple(Attempt(NOON + timedelta(seconds=n), "") for n in range(9))),
        "ana said yes",
    ),
}


@pytest.mark.parametrize(("given_answer", "approver", "reason"), RULINGS.values(), ids=RULINGS)
def test_an_answer_from_slack(given_answer: Answer, approver: Approver, reason: str) -> None:
    judged = decide_approval(REQUEST, given_answer, approver, (), KEY)
    assert judged.decision.reason == reason
    counts = judged.decision.ruling is not Ruling.REFUSED
    assert (judged.decision.means is Means.SLACK) == counts
    assert (judged.approver == approver) == (not counts), "what proves nothing leaves nothing"


def test_without_a_key_nothing_from_slack_counts() -> None:
    judged = decide_approval(REQUEST, answer(key=b""), ANA)
    assert judged.decision.reason == "nothing vouches for this answer from Slack"


def test_a_click_counts_once_and_the_same_answer_is_judged_alike_after_a_crash() -> None:
    first = decide_approval(REQUEST, answer(), ANA, (), KEY)
    again = decide_approval(REQUEST, answer(), first.approver, (), KEY)
    assert again == first
    replayed = decide_approval(REQUEST, answer(after=2), first.approver, (), KEY)
    assert replayed.decision.reason == "this answer from Slack was used already"


@given(st.text(max_size=120))
def test_no_text_proves_anything(code: str) -> None:
    for said in (code, f"slack:{code}", f"slack:U0ANA:{code}"):
        judged = decide_approval(REQUEST, replace(answer(), code=said), ANA, (), KEY)
        assert judged.decision.ruling is Ruling.REFUSED


def test_the_key_is_read_from_a_file_that_is_its_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    approvers = MemoryApprovers({"ana": ANA})
    assert read_key() == b""
    assert judge(REQUEST, answer(), (), approvers).ruling is Ruling.REFUSED
    key_file().parent.mkdir(parents=True)
    key_file().touch(mode=0o600)
    key_file().write_bytes(KEY + b"\n")
    assert judge(REQUEST, answer(), (), approvers).ruling is Ruling.APPROVED
    assert judge(REQUEST, answer(after=2), (), approvers).ruling is Ruling.REFUSED, "remembered"
    key_file().chmod(0o640)
    with pytest.raises(ConfigError, match="can be read by others"):
        judge(REQUEST, answer(after=3), (), approvers)
    key_file().unlink()
    key_file().mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        read_key()


def test_a_user_of_slack_is_one_approver_or_nobody() -> None:
    approvers = MemoryApprovers()
    for name in ("ana", "eva"):
        enrol(name, (f"{name}@example.com",), approvers)
    link("ana", "U0ANA", approvers)
    assert named("U0ANA", approvers.everybody()) == "ana"
    assert named("U0EVA", approvers.everybody()) == ""
    assert named("", approvers.everybody()) == "", "who has none is not who sends none"
    with pytest.raises(ConfigError, match="U0ANA is ana already"):
        link("eva", "U0ANA", approvers)
    with pytest.raises(ConfigError, match="no user id"):
        link("eva", "@eva", approvers)
    with pytest.raises(ConfigError, match="is not enrolled"):
        link("rui", "U0RUI", approvers)
    link("ana", "", approvers)
    assert named("U0ANA", approvers.everybody()) == ""


def test_a_user_that_two_approvers_have_is_neither() -> None:
    assert named("U0ANA", (ANA, replace(ANA, name="eva"))) == ""
