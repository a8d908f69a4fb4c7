"""Calling people again about a run that waits for them; nothing waits between two calls.

Each call is a flow run of its own that Prefect starts at its time. It looks whether the question
is still open, calls, and leaves the next call behind. Who may approve does not depend on it: that
is decided by the instant of the answer.
"""

from datetime import datetime
from uuid import UUID

import httpx
from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.states import Scheduled
from pydantic import TypeAdapter

from flows.asking import tell_again
from flows.telling import telling
from tasks.approval.calls import Call, next_call
from tasks.approval.model import Request
from tasks.approval.task import call_people

__all__ = ["leave_call", "remind"]

_REQUEST = TypeAdapter(Request)


@flow(persist_result=True)
@telling()
def remind(run: UUID, request: Request, at: datetime) -> bool:
    """Call people again about a run that waits for an approval; where it does not, do nothing.

    Args:
        run: id of the flow run that waits.
        request: what it asks.
        at: the instant that this call is for; it was left behind by the run, or the call before.
    """
    if not _waits(run, request):
        return False
    call = Call(at, request.approvers_at(at), escalated=at == request.escalates_at)
    call_people(request, call, str(run))
    tell_again(request, call, str(run))
    leave_call(request, run, at)
    return True


def leave_call(request: Request, run: UUID, after: datetime) -> None:
    """Have Prefect start the next call at its time, once however often it is asked.

    One that cannot be left is a warning: nobody is told again, and the question stays open.
    """
    call = next_call(request, after)
    if call is None:
        return
    parameters = {
        "run": str(run),
        "request": _REQUEST.dump_python(request, mode="json", by_alias=True),
        "at": call.at.isoformat(),
    }
    try:
        with get_client(sync_client=True) as client:
            found = client.read_deployment_by_name(f"{remind.name}/{remind.name}")
            client.create_flow_run_from_deployment(
                found.id,
                parameters=parameters,
                name=f"remind {request.place}",
                state=Scheduled(scheduled_time=call.at),
                idempotency_key=f"{run}-{request.plan}-{call.at.isoformat()}",
            )
    except (PrefectException, httpx.HTTPError) as error:
        get_run_logger().warning("nobody will be reminded at %s: %s", call.at, error)


def _waits(run: UUID, request: Request) -> bool:
    """Say whether a run still asks what it asked: a pause is named after the plan."""
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(run).state
    except ObjectNotFound:  # somebody has deleted it, and the question with it
        return False
    key = state.state_details.pause_key if state and state.is_paused() else None
    return (key or "").startswith(f"{request.environment}-{request.plan}-")
