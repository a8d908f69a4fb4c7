"""The pause before an environment that people guard; no process waits meanwhile."""

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from prefect.states import Cancelled

from flows.views import Question, describe_question
from tasks.approval.model import Answer, Choice, Request, Ruling
from tasks.approval.task import (
    claim_environment,
    judge_answer,
    newest_claim,
    note_opening,
    show_request,
)
from tasks.core.application import Approval
from tasks.core.clock import utc_now
from tasks.core.errors import GateClosed
from tasks.core.model import Plan, Record, Release
from tasks.core.units import format_duration

__all__ = ["ApprovalForm", "ask_until_approved", "await_approval", "claim_place", "is_ahead"]

MOST_ANSWERS = 20
NOTHING = frozenset({StateType.FAILED, StateType.CRASHED, StateType.CANCELLED})
"""Ends of a run that leave its place free."""


class ApprovalForm(RunInput):
    """What an approver fills in; nothing that matters has a default: silence is not consent."""

    approver: str
    code: str
    decision: Literal["approve", "reject"]
    comment: str = ""


def await_approval(
    release: Release, plan: Plan, rules: Approval, before: Record | None = None
) -> tuple[str, ...]:
    """Suspend the run until enough approvers said yes, and return their names.

    Args:
        release: what waits.
        plan: what it would change.
        rules: who may say yes.
        before: the rollout into the environment before, for the approver to read.

    Raises:
        GateClosed: somebody said no, nobody answered in time, or a newer release came.
    """
    claim_place(release.application, plan.environment)
    request = Request(
        application=release.application,
        environment=plan.environment,
        release=release.id,
        plan=plan.id,
        author=release.author,
        author_email=release.author_email,
        opened_at=note_opening(plan.id),
        rules=rules,
    )
    question = Question(request, release, plan, before)
    return ask_until_approved(
        request,
        lambda notice: describe_question(question, notice),
        lambda: _require_newest(request.application, request.environment),
    )


def ask_until_approved(
    request: Request, describe: Callable[[str], str], require: Callable[[], None] | None = None
) -> tuple[str, ...]:
    """Suspend the run until enough approvers said yes, and return their names.

    Args:
        request: what is to be approved.
        describe: what an approver reads; it is given why the last answer did not count.
        require: raises where the question has become pointless.

    Raises:
        GateClosed: somebody said no, or nobody answered in time.
    """
    show_request(request, describe(""))
    approved: tuple[str, ...] = ()
    notice = ""
    for attempt in range(MOST_ANSWERS):
        answer = _ask(request, describe(notice), attempt)
        if require is not None:
            require()
        decision = judge_answer(request, answer, approved)
        notice = decision.reason
        match decision.ruling:
            case Ruling.REJECTED:
                raise GateClosed(notice, where=_place(request))
            case Ruling.APPROVED:
                approved = (*approved, decision.approver)
            case Ruling.REFUSED:
                pass  # the next form begins with the reason
        if len(approved) >= request.rules.count:
            return approved
    raise GateClosed(f"{MOST_ANSWERS} answers did not count", where=_place(request))


def _ask(request: Request, description: str, attempt: int) -> Answer:
    """Suspend until somebody answers; the key binds the answer to this plan, once."""
    key = f"{request.environment}-{request.plan}-{attempt}"
    expires_at = request.opened_at + request.rules.expires
    left = int((expires_at - utc_now()).total_seconds())
    if left <= 0 and _stored_at(key) is None:
        raise GateClosed(
            f"nobody answered within {format_duration(request.rules.expires)}",
            where=_place(request),
            next_step="deliver the commit again",
        )
    form = suspend_flow_run(
        wait_for_input=ApprovalForm.with_initial_data(description=description),
        timeout=max(1, left),
        key=key,
    )
    return Answer(
        approver=form.approver.strip(),
        code=form.code.strip(),
        choice=Choice(form.decision),
        comment=form.comment.strip(),
        answered_at=_stored_at(key) or utc_now(),
    )


def _stored_at(key: str) -> datetime | None:
    """Return when the server stored the answer, None where there is none.

    A slow worker must not outdate a code.
    """
    with get_client(sync_client=True) as client:
        stored = client.filter_flow_run_input(
            UUID(flow_run.id), key_prefix=f"suspended-{key}-response", limit=1, exclude_keys=set()
        )
    return stored[0].created if stored else None


def claim_place(application: str, environment: str) -> None:
    """Take the place of an older run that wants into the same environment.

    The other run ends before this one has claimed: killed in between, it is done again.

    Raises:
        GateClosed: a newer run has claimed it.
    """
    claimed = newest_claim(application, environment)
    if claimed == flow_run.id:
        return
    if claimed:
        with get_client(sync_client=True) as client, contextlib.suppress(ObjectNotFound):
            other = client.read_flow_run(UUID(claimed))
            if is_ahead(other, client.read_flow_run(UUID(flow_run.id))):
                raise _superseded(f"{environment}/{application}")
            if other.state_type is StateType.PAUSED:
                message = f"a newer release waits for {environment}: run {flow_run.name}"
                client.set_flow_run_state(
                    other.id, Cancelled(name="Superseded", message=message), force=True
                )
    claim_environment(application, environment, flow_run.id)
    _require_newest(application, environment)


def is_ahead(other: FlowRun, mine: FlowRun) -> bool:
    """Say whether another run started later and has not come to nothing: a slow one gives way."""
    if other.created is None or mine.created is None or other.created <= mine.created:
        return False
    return other.state_type not in NOTHING


def _require_newest(application: str, environment: str) -> None:
    if newest_claim(application, environment) != flow_run.id:
        raise _superseded(f"{environment}/{application}")


def _superseded(where: str) -> GateClosed:
    return GateClosed(
        "a newer run wants into this environment or has got there, this one is superseded",
        where=where,
        next_step="answer the newer run, or deliver this commit again",
    )


def _place(request: Request) -> str:
    return f"{request.environment}/{request.application}"
