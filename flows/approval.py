"""The pause before an environment that people guard; no process waits meanwhile."""

from collections.abc import Callable

from prefect.runtime import flow_run

from flows.asking import tell_answered, tell_question, tell_superseded
from flows.questions import rollout_request
from flows.suspension import ask, end_superseded, read_beside
from flows.turns import Turn, turn
from flows.views import Question, describe_question
from tasks.approval.model import Request, Ruling
from tasks.approval.task import (
    claim_environment,
    judge_answer,
    newest_claim,
    note_opening,
    show_request,
)
from tasks.core.application import Approval
from tasks.core.errors import GateClosed
from tasks.core.model import Release
from tasks.core.record import Plan, Record

__all__ = ["ask_until_approved", "await_approval", "claim_place"]

MOST_ANSWERS = 20


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
    request = rollout_request(release, plan, rules, note_opening(plan.id))
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
        tell_question(request, describe(notice), approved, notice)
        answer = ask(request, describe(notice), attempt)
        if require is not None:
            require()
        decision = judge_answer(request, answer, approved)
        notice = decision.reason
        match decision.ruling:
            case Ruling.REJECTED:
                raise GateClosed(notice, where=request.place)
            case Ruling.APPROVED:
                approved = (*approved, decision.approver)
            case Ruling.REFUSED:
                pass  # the next form begins with the reason
        if len(approved) >= request.rules.count:
            tell_answered(request, approved)
            return approved
    raise GateClosed(f"{MOST_ANSWERS} answers did not count", where=request.place)


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
