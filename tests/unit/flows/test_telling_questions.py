"""What people who approve are told of, from a flow that asks them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prefect import flow

from flows.asking import tell_answered, tell_question, tell_superseded
from flows.suspension import ask
from flows.telling import tell_begun, tell_in, telling
from tasks.approval.model import Request
from tasks.core.errors import GateClosed
from tasks.core.gates import Approval
from tasks.core.notices import Notify, SlackRooms
from tasks.notify.model import News, QuestionNews, RunNews, State
from tasks.notify.ports import Channel
from tests.unit.flows.test_telling import SHOP, SOURCE, Town

REQUEST = Request(
    application="shop",
    environment="prod",
    release="r-1",
    plan="p-1",
    author="Dora",
    author_email="dora@example.com",
    opened_at=datetime(2026, 1, 1, tzinfo=UTC),
    rules=Approval(approvers=("ana", "eva"), count=2, comment=True),
)
TOLD = replace(SOURCE, application=replace(SHOP, notify=Notify(SlackRooms("C01", "C02"))))


class Listener(Town):
    """Keeps questions whole."""

    def tell(self, news: tuple[News, ...]) -> None:  # type: ignore[override]
        self.questions = [*getattr(self, "questions", []), *news]


@pytest.fixture
def listener(prefect: None, monkeypatch: pytest.MonkeyPatch) -> Listener:  # noqa: ARG001 the server comes first
    found = Listener()
    channel = Channel("town", found.hears, found.connect)
    monkeypatch.setattr("tasks.notify.effects.CHANNELS", (channel,))
    return found


def questions(listener: Listener) -> list[QuestionNews]:
    return [each for each in listener.questions if isinstance(each, QuestionNews)]


@flow
@telling()
def asks() -> None:
    tell_in(TOLD.application.notify.slack)
    tell_begun(TOLD)
    tell_superseded("shop", "prod", "00000000-0000-0000-0000-000000000007")
    tell_question(REQUEST, "what changes", (), "")
    tell_question(REQUEST, "what changes", (), "wrong code of ana")
    tell_question(REQUEST, "what changes", ("ana",), "ana said yes")
    tell_answered(REQUEST, ("ana", "eva"))


@flow
@telling()
def is_refused() -> None:
    tell_question(REQUEST, "what changes", (), "")
    raise GateClosed("ana said no: not before the holidays", where="prod/shop")


def test_a_question_is_told_with_what_became_of_each_answer(listener: Listener) -> None:
    asks(return_state=True)
    older = next(each for each in listener.questions if isinstance(each, RunNews))
    assert (older.commit.run[-1], older.state) == ("7", State.INACTIVE)
    assert older.commit.repository == TOLD.repository, "where its deployments are"
    told = questions(listener)
    assert [(each.state, each.sentence) for each in told] == [
        (State.WAITING, ""),
        (State.WAITING, "The last answer did not count: wrong code of ana"),
        (State.WAITING, "1 of 2: ana said yes."),
        (State.SUCCESS, "ana, eva said yes"),
    ]
    first = told[0]
    assert (first.commit.rooms, first.plan, first.comment) == (("C01", "C02"), "p-1", True)


def test_a_no_ends_the_question_with_its_reason(listener: Listener) -> None:
    is_refused(return_state=True)
    *_, last = questions(listener)
    assert (last.state, last.sentence) == (State.FAILURE, "ana said no: not before the holidays")


@flow
@telling()
def is_not_answered() -> None:
    tell_question(REQUEST, "what changes", (), "")
    ask(REQUEST, "what changes", 0)


def test_a_question_that_nobody_answers_in_time_is_closed(listener: Listener) -> None:
    is_not_answered(return_state=True)
    *_, last = questions(listener)
    assert (last.state, last.sentence) == (State.FAILURE, "nobody answered within 24h")


@flow
@telling()
def checks() -> None:
    tell_in(None)
    tell_begun(TOLD, ("lint",))


def test_what_is_proposed_chooses_no_channel(listener: Listener) -> None:
    checks(return_state=True)
    assert {each.commit.rooms for each in listener.questions} == {("", "")}
