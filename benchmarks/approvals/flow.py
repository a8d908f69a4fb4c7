"""A run that waits for one person."""

from datetime import timedelta

from prefect import flow

from flows.suspension import ask
from flows.views import describe_rollback
from tasks.approval.model import Request
from tasks.approval.task import note_opening, show_request
from tasks.core.gates import Approval
from tasks.rollout.model import Back

RULES = Approval(approvers=("ana",), expires=timedelta(hours=24))


@flow(persist_result=True, flow_run_name="wait-{number}")
def wait(number: int) -> str:
    """Ask one person about something, as a rollback by hand does, and say what they answered."""
    plan = f"p-{number}"
    opened_at = note_opening(plan)
    request = Request("shop", "prod", "r-1", plan, "Rui", "rui@example.com", opened_at, RULES)
    question = describe_rollback(request, Back("they suffer"))
    show_request(request, question)
    return ask(request, question, 0).choice.value
