"""Asking for an approval, as Prefect tasks."""

from datetime import datetime

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.variables import Variable

from tasks.approval import effects
from tasks.approval.approvers import SecretApprovers
from tasks.approval.calls import Call
from tasks.approval.model import Answer, Decision, Request
from tasks.core.clock import utc_now
from tasks.core.cluster_api import connect
from tasks.core.markdown import inline, page, plain
from tasks.core.target import Target
from tasks.core.task import SOON, again, publish

__all__ = [
    "call_people",
    "claim_environment",
    "judge_answer",
    "newest_claim",
    "note_opening",
    "show_request",
]


@task(task_run_name="{environment}: claim")
def claim_environment(application: str, environment: str, run: str) -> None:
    """Make this run the newest that wants into an environment, once: its result is stored.

    A run that was superseded and is set going again does not claim anew.
    """
    Variable.set(_claim_key(application, environment), run, overwrite=True)


@task(task_run_name="{environment}: newest release?", cache_policy=NO_CACHE)
def newest_claim(application: str, environment: str) -> str:
    """Return the run that wants into an environment last."""
    return str(Variable.get(_claim_key(application, environment), default=""))


@task(task_run_name="approval: {plan} opened")
def note_opening(plan: str) -> datetime:
    """Remember when somebody was first asked about a plan."""
    del plan  # part of the result's key
    return utc_now()


@task(task_run_name="{request.environment}: ask for approval")
def show_request(request: Request, markdown: str) -> None:
    """Show what waits for an approval, in the run's artifacts."""
    words = ("approval", request.application, request.environment)
    publish(words, markdown, f"{request.release}, plan {request.plan}")


@task(task_run_name="{request.environment}: answer of {answer.approver}", **again(SOON))
def judge_answer(
    request: Request, answer: Answer, earlier: tuple[str, ...], target: Target
) -> Decision:
    """Say what an answer counts as; asked again in the same run it says the same."""
    with connect(target) as cluster:
        decision = effects.answer(request, answer, earlier, SecretApprovers(cluster))
    get_run_logger().info("%s: %s", decision.ruling.value, decision.reason)
    return decision


@task(task_run_name="{request.environment}: call again")
def call_people(request: Request, call: Call, run: str) -> None:
    """Say who is waited for, in the log and as an artifact; whoever listens to those hears it."""
    what = call.what
    place = f"{request.environment}/{request.application}"
    get_run_logger().warning("%s: %s: %s", place, what, ", ".join(call.people))
    shown = page(
        f"## {plain(place)} waits for an approval of {inline(request.release)}",
        f"{plain(what)}: **{plain(', '.join(call.people))}**",
        f"Run {inline(run)}, asked {request.opened_at:%Y-%m-%d %H:%M} UTC, ends "
        f"{request.expires_at:%Y-%m-%d %H:%M} UTC. `slipway approve {run[:8]}`",
    )
    words = ("reminder", request.application, request.environment)
    publish(words, shown, f"{request.release}: {what}")


def _claim_key(application: str, environment: str) -> str:
    return f"slipway_candidate_{application}_{environment}"  # names hold no underscore
