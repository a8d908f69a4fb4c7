"""Taking an answer from Slack to the run that waits for it, once."""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from httpx import codes

from infra.server.api import Api, may_pass
from infra.server.client import Runs, asked_in
from infra.target import chosen
from infra.webhook.model import NotYet, Pressed
from infra.webhook.settings import settings
from infra.webhook.store import Store
from tasks.approval.approvers import SecretApprovers
from tasks.approval.key import read_key
from tasks.approval.model import Answer, Approver, Choice, Click, question_of
from tasks.approval.proof import CLICKS_LIVE, Subject, vouch
from tasks.approval.slack import named
from tasks.core.clock import Clock, SystemClock
from tasks.core.cluster_api import connect
from tasks.core.errors import GateClosed, SlipwayError, Unavailable
from tasks.core.slack import Button, fetch_login
from tasks.core.slack_client import Slack
from tasks.core.target import Target

__all__ = ["AnswerDesk", "may_ask_again", "target_for"]

log = logging.getLogger(__name__)

MOST_ANSWERS = 100
JUDGED_WITHIN = timedelta(minutes=1)
"""A run that goes on with one answer comes to the next question in seconds, if there is one."""
People = Callable[[Button], tuple[Approver, ...]]


def _people(asked: Button) -> tuple[Approver, ...]:
    """Return the approvers of the cluster that an environment is in."""
    with connect(target_for(asked)) as cluster:
        return SecretApprovers(cluster).everybody()


def target_for(asked: Button) -> Target:
    """Return the cluster of an environment: the context that a person named, else its own.

    It is the rule of `place_of` without a checkout: for this instance and what is registered.
    """
    target = chosen()
    return target if target.context else replace(target, context=_context_of(asked))


def _context_of(asked: Button) -> str:
    """Return what slipway.yaml named as an environment's cluster when it was registered."""
    store = Store(settings().store)
    try:
        repository = store.repository_of(asked.application)
    finally:
        store.close()
    environments = repository.application.environments if repository else {}
    described = environments.get(asked.environment)
    return (described and described.context) or ""


@dataclass(frozen=True, slots=True)
class AnswerDesk:
    """Says who somebody in Slack is, and fills in the form of the run for them.

    Attributes:
        people: returns everybody who can approve in an environment.
        connect: opens Prefect's API.
    """

    people: People = _people
    connect: Callable[[], Api] = Api.connect
    clock: Clock = field(default_factory=SystemClock)

    def answer(self, pressed: Pressed) -> str:
        """Give an answer and return who has said what; whoever is refused is told so in Slack.

        Raises:
            GateClosed: the person is nobody here, or the run does not wait for this.
            ConfigError: something is set up wrongly.
            NotYet: the approvers' cluster does not answer, or the run is at another answer.
            Unavailable: Prefect does not answer.
        """
        try:
            return self._answer(pressed)
        except Unavailable as error:
            if self.clock.now() - pressed.signed_at <= CLICKS_LIVE:
                raise
            late = GateClosed(f"it could not be given for an hour: {error.what}", "Slack")
            _whisper(pressed, late.what)
            raise late from error
        except SlipwayError as error:
            _whisper(pressed, error.what)
            raise

    def _answer(self, pressed: Pressed) -> str:
        asked = pressed.asked
        name = named(pressed.user, self._everybody(asked))
        if not name:
            raise GateClosed(
                f"Slack's user {pressed.user} is no approver",
                where=f"{asked.environment}/{asked.application}",
                next_step=f"slipway approver slack NAME {pressed.user}",
            )
        with self._runs() as runs:
            _hand_over(runs, asked, _form(pressed, name), self.clock.now())
        return f"{name} said {asked.choice} in Slack"

    def _everybody(self, asked: Button) -> tuple[Approver, ...]:
        try:
            return self.people(asked)
        except Unavailable as error:  # of one cluster; others, and Prefect, may well answer
            raise NotYet(*error.args) from error

    @contextmanager
    def _runs(self) -> Iterator[Runs]:
        """Tell a Prefect that says no from one that may say yes later."""
        try:
            api = self.connect()
            with api.http:
                yield Runs(api)
        except httpx.HTTPStatusError as error:
            if error.response.status_code == codes.NOT_FOUND:
                raise GateClosed("Prefect knows no such run any more", "Slack") from error
            if may_pass(error):
                raise Unavailable(f"answers {error.response.status_code}", "Prefect") from error
            raise GateClosed(f"Prefect refuses ({error.response.status_code})", "Slack") from error
        except httpx.TransportError as error:
            # also where it may have counted: the next try finds that out
            what = f"does not answer ({type(error).__name__})"
            raise Unavailable(what, "Prefect", "slipway up") from error


def _form(pressed: Pressed, name: str) -> dict[str, str]:
    asked = pressed.asked
    subject = Subject(asked.application, asked.environment, asked.release, asked.plan)
    choice, comment = Choice(asked.choice), pressed.comment
    answer = Answer(name, "", choice, comment, pressed.signed_at, _question(asked))
    code = vouch(subject, answer, Click(pressed.user, pressed.signed_at), read_key())
    form = {"approver": name, "code": code, "decision": asked.choice, "comment": comment}
    return {**form, "question": _question(asked), "sent_from": "Slack"}


def _question(asked: Button) -> str:
    return question_of(asked.environment, asked.plan)


def _hand_over(runs: Runs, asked: Button, form: dict[str, str], now: datetime) -> None:
    """Resume the run with a form unless it has been, before a kill or a lost answer.

    Raises:
        GateClosed: the run does not wait for an answer to this.
        NotYet: it may in a moment.
    """
    try:
        run = UUID(asked.run)
    except ValueError as error:
        raise GateClosed("the button names no run", "Slack") from error
    question = re.escape(_question(asked))
    if form["code"] in _given(runs, run, re.compile(rf"suspended-{question}-\d+-response")):
        return
    state = runs.api.get(f"/flow_runs/{run}")["state"] or {}
    if asked_in(state) != _question(asked):
        place = f"{asked.environment}/{asked.application}"
        if may_ask_again(state, now):
            raise NotYet("the run is at another answer", where=place)
        raise GateClosed(
            f"{asked.plan} of {asked.release} does not wait for an answer any more",
            where=place,
            next_step=f"slipway show {asked.environment}",
        )
    runs.answer(run, form)


def may_ask_again(state: Mapping[str, Any], now: datetime) -> bool:
    """Say whether a run that asks nothing may do so in a moment: it judges another answer.

    Args:
        state: of the run, as Prefect's API tells it.
        now: aware.
    """
    match state.get("type"):
        case "SCHEDULED" | "PENDING":
            return True
        case "RUNNING":
            return now - datetime.fromisoformat(state["timestamp"]) <= JUDGED_WITHIN
        case _:
            return False


def _given(runs: Runs, run: UUID, key: re.Pattern[str]) -> set[str]:
    """Return the proofs of the answers that a run has been given to a plan."""
    wanted = {"prefix": "suspended-", "limit": MOST_ANSWERS, "exclude_keys": []}
    found = runs.api.post(f"/flow_runs/{run}/input/filter", wanted)
    values = [json.loads(each["value"]) for each in found if key.fullmatch(each["key"])]
    return {str(value.get("code", "")) for value in values if isinstance(value, dict)}


def _whisper(pressed: Pressed, what: str) -> None:
    """Tell the person alone; that it fails changes nothing."""
    try:
        login = fetch_login()
        if login is not None:
            text = f"Your answer does not count: {what}."
            place = {"channel": pressed.channel, "user": pressed.user}
            Slack(login).call("chat.postEphemeral", **place, text=text)
    except SlipwayError as error:
        log.warning("nobody could be told why: %s", error)
