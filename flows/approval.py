"""The pause before an environment that people guard; no process waits meanwhile."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
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

__all__ = ["ApprovalForm", "await_approval"]

MOST_ANSWERS = 20


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
    _supersede(release.application, plan.environment)
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
    show_request(request, describe_question(question))
    approved: tuple[str, ...] = ()
    notice = ""
    for attempt in range(MOST_ANSWERS):
        answer = _ask(request, describe_question(question, notice), attempt)
        _require_newest(request)
        decision = judge_answer(request, answer, approved)
        notice = decision.reason
        match decision.ruling:
            case Ruling.REJECTED:
                raise GateClosed(notice, where=_place(request))
            case Ruling.APPROVED:
                approved = (*approved, decision.approver)
            case Ruling.REFUSED:
                pass  # the next form begins with the reason
        if len(approved) >= rules.count:
            return approved
    raise GateClosed(f"{MOST_ANSWERS} answers did not count", where=_place(request))


def _ask(request: Request, description: str, attempt: int) -> Answer:
    """Suspend until somebody answers; the key binds the answer to this plan, once."""
    key = f"{request.environment}-{request.plan}-{attempt}"
    expires_at = request.opened_at + request.rules.expires
    left = int((expires_at - utc_now()).total_seconds())
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
        answered_at=_answered_at(key),
    )


def _answered_at(key: str) -> datetime:
    """Return when the server stored the answer: a slow worker must not outdate a code."""
    with get_client(sync_client=True) as client:
        stored = client.filter_flow_run_input(
            UUID(flow_run.id), key_prefix=f"suspended-{key}-response", limit=1, exclude_keys=set()
        )
    return stored[0].created or utc_now()


def _supersede(application: str, environment: str) -> None:
    """Take the place of an older run that still waits for the same environment."""
    before = claim_environment(application, environment, flow_run.id)
    if not before or before == flow_run.id:
        return
    with get_client(sync_client=True) as client:
        older = client.read_flow_run(UUID(before))
        if older.state_type is StateType.PAUSED:
            message = f"a newer release waits for {environment}: run {flow_run.name}"
            client.set_flow_run_state(
                older.id, Cancelled(name="Superseded", message=message), force=True
            )


def _require_newest(request: Request) -> None:
    if newest_claim(request.application, request.environment) != flow_run.id:
        raise GateClosed(
            "a newer release waits for this environment, this one is superseded",
            where=_place(request),
            next_step="approve the newer run",
        )


def _place(request: Request) -> str:
    return f"{request.environment}/{request.application}"
