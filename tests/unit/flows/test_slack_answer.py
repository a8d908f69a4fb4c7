"""Somebody presses a button in Slack, and the run that waits goes on with their answer, once."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect import Flow, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_API_URL

from flows.suspension import ask
from infra.server.api import Api
from infra.server.settings import server
from infra.webhook.answers import AnswerDesk, may_ask_again
from infra.webhook.keys import ensure_token
from infra.webhook.slack_door import SlackDoor
from tasks.approval import effects
from tasks.approval.approvers import MemoryApprovers
from tasks.approval.key import key_file
from tasks.approval.model import Approver, Decision, Means, Request, Ruling
from tasks.core.clock import utc_now
from tasks.core.errors import Unavailable
from tasks.core.gates import Approval
from tasks.core.slack import Button, keep_login
from tests.stand_ins.slack import StandIn, press, signed, standing_in
from tests.unit.infra.webhook.world import World as Receiver

ANA = Approver("ana", ("ana@example.com",), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", slack="U0ANA")
EVA = Approver("eva", ("eva@example.com",), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXQ", slack="U0EVA")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
REQUEST = Request(
    application="shop",
    environment="prod",
    release="r-0123456789ab",
    plan="p-1",
    author="Rui",
    author_email="rui@example.com",
    opened_at=utc_now(),
    rules=Approval(approvers=("ana", "eva")),
)


@dataclass
class Situation:
    """A receiver that is logged in to Slack, and a run of a flow that asks people."""

    receiver: Receiver
    slack: StandIn
    approvers: MemoryApprovers = field(
        default_factory=lambda: MemoryApprovers({"ana": ANA, "eva": EVA})
    )
    away: bool = False
    flow: Flow[[], None] | None = None
    decisions: list[Decision] = field(default_factory=list)
    run: UUID = field(default_factory=uuid4)

    def given_a_run_that_waits(self, request: Request = REQUEST, answers: int = 1) -> None:
        @flow(persist_result=True)
        def release() -> None:
            for attempt in range(answers):
                answer = ask(request, "may it?", attempt)
                self.decisions.append(effects.answer(request, answer, (), self.approvers))

        with get_client(sync_client=True) as client:
            made = client.create_flow(release)
            deployment = client.create_deployment(made, f"d-{request.plan}")
            self.run = client.create_flow_run_from_deployment(deployment).id
        self.flow = release
        self.goes_on()
        assert self.read().state_name == "Suspended"

    def goes_on(self) -> None:
        """Do what the worker does with a run that is due."""
        with contextlib.suppress(Pause):
            assert self.flow is not None
            run_flow(self.flow, flow_run=self.read(), return_type="state")

    def everybody(self, _asked: Button) -> tuple[Approver, ...]:
        if self.away:
            raise Unavailable("does not answer", "cluster prod")
        return self.approvers.everybody()

    def read(self) -> FlowRun:
        with get_client(sync_client=True) as client:
            return client.read_flow_run(self.run)

    def asked(self, **changes: str) -> Button:
        asked = Button(str(self.run), "shop", "prod", "r-0123456789ab", "p-1", "approve")
        return replace(asked, **changes)  # type: ignore[arg-type]

    def when_pressed(self, asked: Button, user: str = "U0ANA", at: str = "1.0") -> tuple[str, str]:
        """Send a press in, take it on, and return what became of it."""
        body, headers = signed(press(asked, user, at), self.receiver.clock.now())
        assert self.receiver.client.post("/slack", content=body, headers=headers).is_success
        self.receiver.courier.deliver()
        return self.receiver.states()[-1]

    def whispers(self) -> list[str]:
        said = [each for each in self.slack.calls if each["method"] == "chat.postEphemeral"]
        return [each["text"] for each in said]


@pytest.fixture
def situation(
    prefect: None,  # noqa: ARG001 the server comes first
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Situation]:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    ensure_token(key_file())
    receiver = Receiver(tmp_path)
    receiver.clock.instant = utc_now()
    receiver.receiver.slack = SlackDoor()
    with standing_in() as slack, receiver.serving():
        keep_login(slack.login)
        made = Situation(receiver, slack)
        receiver.courier.answerer = AnswerDesk(made.everybody, prefect_api, receiver.clock).answer
        yield made
    receiver.store.close()


def prefect_api() -> Api:
    address = PREFECT_API_URL.value()
    assert address
    return Api(server(), httpx.Client(base_url=address, trust_env=False, timeout=30))


def test_the_approver_who_pressed_lets_the_run_go_on(situation: Situation) -> None:
    situation.given_a_run_that_waits()
    outcome = situation.when_pressed(situation.asked())
    assert outcome == ("delivered", "ana said approve in Slack")
    assert situation.read().state_name == "Resuming"
    situation.goes_on()
    assert situation.read().state_name == "Completed"
    (decision,) = situation.decisions
    assert decision == Decision(Ruling.APPROVED, "ana", "ana said yes", means=Means.SLACK)
    assert situation.whispers() == []


def test_a_courier_that_dies_does_not_answer_twice(situation: Situation) -> None:
    situation.given_a_run_that_waits(answers=2)
    answerer = situation.receiver.courier.answerer
    assert answerer is not None

    def dies(pressed: Any) -> str:  # noqa: ANN401 handed through
        answerer(pressed)
        raise KeyboardInterrupt

    situation.receiver.courier.answerer = dies
    with pytest.raises(KeyboardInterrupt):
        situation.when_pressed(situation.asked())
    situation.goes_on()
    assert situation.read().state_name == "Suspended", "it asks once more"
    situation.receiver.courier.answerer = answerer
    situation.receiver.courier.deliver()
    assert situation.receiver.states() == [("delivered", "ana said approve in Slack")]
    assert situation.read().state_name == "Suspended", "and that was no answer to it"


def test_the_second_of_two_who_press_at_once_counts_when_the_run_asks_again(
    situation: Situation,
) -> None:
    situation.given_a_run_that_waits(answers=2)
    situation.when_pressed(situation.asked())
    assert situation.when_pressed(situation.asked(), "U0EVA", at="2.0") == ("stored", "")
    situation.goes_on()
    situation.receiver.clock.wait(timedelta(seconds=1))
    situation.receiver.courier.deliver()
    assert situation.receiver.states()[-1] == ("delivered", "eva said approve in Slack")
    situation.goes_on()
    assert [each.approver for each in situation.decisions][-2:] == ["ana", "eva"]
    assert situation.whispers() == []


def test_a_press_waits_an_hour_for_the_cluster_of_its_approvers(situation: Situation) -> None:
    situation.given_a_run_that_waits()
    situation.away = True
    assert situation.when_pressed(situation.asked()) == ("stored", "")
    situation.receiver.clock.wait(timedelta(minutes=59))
    situation.receiver.courier.deliver()
    assert situation.receiver.states() == [("stored", "")]
    situation.receiver.clock.wait(timedelta(minutes=2))
    situation.receiver.courier.deliver()
    why = "it could not be given for an hour: does not answer"
    assert situation.receiver.states() == [("refused", f"Slack: {why}")]
    assert situation.whispers() == [f"Your answer does not count: {why}."]


@pytest.mark.parametrize(
    ("kind", "seconds", "expected"),
    [
        pytest.param("SCHEDULED", 3600, True, id="no worker has gone on with it yet"),
        pytest.param("PENDING", 3600, True, id="a worker is about to"),
        pytest.param("RUNNING", 60, True, id="it may be judging"),
        pytest.param("RUNNING", 61, False, id="it is long past that"),
        pytest.param("PAUSED", 0, False, id="it asks something else"),
        pytest.param("COMPLETED", 0, False, id="it is over"),
        pytest.param("CANCELLED", 0, False, id="it was cancelled"),
    ],
)
def test_whether_a_run_may_ask_again_in_a_moment(
    kind: str,
    seconds: int,
    expected: bool,  # noqa: FBT001
) -> None:
    since = (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    assert may_ask_again({"type": kind, "timestamp": since}, NOW) is expected
    assert may_ask_again({}, NOW) is False


@pytest.mark.parametrize(
    ("changes", "user", "reason"),
    [
        ({}, "U0EVE", "Slack's user U0EVE is no approver"),
        ({"plan": "p-2"}, "U0ANA", "p-2 of r-0123456789ab does not wait for an answer any more"),
        ({"environment": "dev"}, "U0ANA", "does not wait for an answer any more"),
        ({"run": str(UUID(int=7))}, "U0ANA", "Prefect knows no such run any more"),
        ({"run": "../admin"}, "U0ANA", "the button names no run"),
    ],
    ids=["a stranger", "another plan", "another environment", "another run", "no run"],
)
def test_who_does_not_count_is_told_so_alone(
    situation: Situation, changes: dict[str, str], user: str, reason: str
) -> None:
    situation.given_a_run_that_waits()
    state, why = situation.when_pressed(situation.asked(**changes), user)
    assert state == "refused"
    assert reason in why
    assert [reason in each for each in situation.whispers()] == [True]
    assert situation.read().state_name == "Suspended"


def test_a_button_for_another_release_proves_nothing_to_the_run(situation: Situation) -> None:
    situation.given_a_run_that_waits()
    situation.when_pressed(situation.asked(release="r-another"))
    situation.goes_on()
    (decision,) = situation.decisions
    assert decision.reason == "this answer from Slack was not given to what is asked here"


def test_slack_being_away_changes_nothing_about_a_refusal(situation: Situation) -> None:
    situation.given_a_run_that_waits()
    situation.slack.fails({"status": 503, "answer": {}})
    assert situation.when_pressed(situation.asked(), "U0EVE")[0] == "refused"
