"""The pause before an environment that people guard; no process waits meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from prefect.runtime import flow_run

from flows.asking import tell_answered, tell_question, tell_superseded
from flows.deeds import answered
from flows.reminding import leave_call
from flows.suspension import ask, end_superseded, read_beside
from flows.trail import write
from flows.turns import Turn, turn
from flows.views import Question, describe_question
from tasks.approval.model import Approved, Decision, Request, Ruling
from tasks.approval.task import (
    claim_environment,
    judge_answer,
    newest_claim,
    show_request,
)
from tasks.audit import Deed
from tasks.core.errors import GateClosed
from tasks.rollout.model import Place

__all__ = ["ask_until_approved", "await_approval", "claim_place"]

MOST_ANSWERS = 20


def await_approval(question: Question, place: Place) -> Approved:
    """Suspend the run until enough approvers said yes, and return who did.

    Args:
        question: what is asked.
        place: where it would go.

    Raises:
        GateClosed: somebody said no, nobody answered in time, or a newer release came.
        SlipwayError: an answer could not be written down, and does not count.
    """
    claim_place(place.application, place.name)
    request = question.request
    return ask_until_approved(
        request,
        place,
        lambda notice, approved: describe_question(question, notice, approved),
        lambda: _require_newest(request.application, request.environment),
    )


def ask_until_approved(
    request: Request,
    place: Place,
    describe: Callable[[str, Approved], str],
    require: Callable[[], None] | None = None,
    write: Callable[[Place, Deed], object] = write,
) -> Approved:
    """Suspend the run until enough approvers said yes, and return who did.

    Args:
        request: what is to be approved.
        place: where; its cluster knows the approvers, and keeps the trail.
        describe: what an approver reads; it is given why the last answer did not count, and who
            has said yes so far.
        require: raises where the question has become pointless.
        write: puts what an answer counted as into the trail, before anything follows from it.

    Raises:
        GateClosed: somebody said no, or nobody answered in time.
        SlipwayError: an answer could not be written down, and does not count.
    """
    approved, notice = Approved(), ""
    show_request(request, describe(notice, approved))
    leave_call(request, UUID(flow_run.id), request.opened_at)
    for attempt in range(MOST_ANSWERS):
        shown = describe(notice, approved)
        tell_question(request, shown, approved.by, notice)
        answer = ask(request, shown, attempt)
        if require is not None:
            require()
        decision = judge_answer(request, answer, approved.by, place.target)
        write(place, answered(request, answer, decision, f"{flow_run.id}/{request.plan}/{attempt}"))
        match decision.ruling:
            case Ruling.REJECTED:
                raise GateClosed(decision.reason, where=request.place)
            case Ruling.APPROVED:
                approved, notice = _with(approved, decision), ""
                request = replace(request, override=approved.override)
            case Ruling.REFUSED:
                notice = decision.reason  # the next form begins with it
        if len(approved.by) >= request.rules.count:
            tell_answered(request, approved.by)
            return approved
    raise GateClosed(f"{MOST_ANSWERS} answers did not count", where=request.place)


def _with(approved: Approved, decision: Decision) -> Approved:
    by = (*approved.by, decision.approver) if decision.counts else approved.by
    return Approved(by, decision.override or approved.override, decision.means)


def claim_place(application: str, environment: str) -> None:
    """Take the place of an older run that wants into the same environment.

    The other run ends before this one has claimed: killed in between, it is done again.

    Raises:
        GateClosed: a newer run has claimed it.
    """
    claimed = newest_claim(application, environment)
    if claimed == flow_run.id:
        return
    runs = read_beside(claimed) if claimed else None
    match turn(*runs) if runs else Turn.CLAIM:
        case Turn.GIVE_WAY:
            raise _superseded(application, environment)
        case Turn.END_OTHER:
            end_superseded(claimed, environment)
            tell_superseded(application, environment, claimed)
        case Turn.CLAIM:
            pass
    claim_environment(application, environment, flow_run.id)
    _require_newest(application, environment)


def _require_newest(application: str, environment: str) -> None:
    if newest_claim(application, environment) != flow_run.id:
        raise _superseded(application, environment)


def _superseded(application: str, environment: str) -> GateClosed:
    return GateClosed(
        "a newer run wants into this environment or has got there, this one is superseded",
        where=f"{environment}/{application}",
        next_step="answer the newer run, or deliver this commit again",
    )
