"""What approvals ask of Prefect's server: a form that no process waits for, and other runs."""

import contextlib
from datetime import datetime
from typing import Literal
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from prefect.states import Cancelled
from pydantic import ConfigDict, Field, create_model

from flows.clearing import SUPERSEDED
from tasks.approval.model import Answer, Choice, Request
from tasks.core.clock import utc_now
from tasks.core.errors import GateClosed
from tasks.core.units import format_duration

__all__ = ["ApprovalForm", "ask", "end_superseded", "read_beside"]


class ApprovalForm(RunInput):
    """What an approver fills in; nothing that matters has a default: silence is not consent.

    `question` stands in the form already, and the server takes no other: a form that was opened
    for one question answers no other one. `sent_from` is beyond the form's fields: commands and
    Slack say there where an answer is from.
    """

    model_config = ConfigDict(extra="allow")

    approver: str
    code: str
    decision: Literal["approve", "reject"]
    comment: str = ""
    question: str


def ask(request: Request, description: str, attempt: int) -> Answer:
    """Suspend until somebody answers; the key binds the answer to this plan, once.

    Raises:
        GateClosed: nobody answered in time.
    """
    key = f"{request.question}-{attempt}"
    left = int((request.expires_at - utc_now()).total_seconds())
    if left <= 0 and _stored_at(key) is None:
        raise GateClosed(
            f"nobody answered within {format_duration(request.lasts)}",
            where=request.place,
            next_step="deliver the commit again",
        )
    form = suspend_flow_run(
        wait_for_input=_form(request).with_initial_data(description=description),
        timeout=max(1, left),
        key=key,
    )
    return Answer(
        approver=form.approver.strip(),
        code=form.code.strip(),
        choice=Choice(form.decision),
        comment=form.comment.strip(),
        answered_at=_stored_at(key) or utc_now(),
        question=form.question,
        origin=str((form.model_extra or {}).get("sent_from") or "").strip(),
    )


def _form(request: Request) -> type[ApprovalForm]:
    """Return the form of one question: it has to be sent along, and the page does so by itself."""
    question = Field(
        description="what is answered",
        json_schema_extra={"const": request.question, "default": request.question},
    )
    return create_model("ApprovalForm", __base__=ApprovalForm, question=(str, question))


def _stored_at(key: str) -> datetime | None:
    """Return when the server stored the answer, None where there is none.

    A slow worker must not outdate a code.
    """
    with get_client(sync_client=True) as client:
        stored = client.filter_flow_run_input(
            UUID(flow_run.id), key_prefix=f"suspended-{key}-response", limit=1, exclude_keys=set()
        )
    return stored[0].created if stored else None


def read_beside(run: str) -> tuple[FlowRun, FlowRun] | None:
    """Return another run and this one, None where Prefect knows nothing of it any more."""
    with get_client(sync_client=True) as client, contextlib.suppress(ObjectNotFound):
        return client.read_flow_run(UUID(run)), client.read_flow_run(UUID(flow_run.id))
    return None


def end_superseded(run: str, environment: str) -> None:
    """End another run that waits for people: they are asked about this one."""
    message = f"a newer release waits for {environment}: run {flow_run.name}"
    with get_client(sync_client=True) as client, contextlib.suppress(ObjectNotFound):
        client.set_flow_run_state(
            UUID(run), Cancelled(name=SUPERSEDED, message=message), force=True
        )
