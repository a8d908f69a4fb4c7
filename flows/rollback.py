"""A whole earlier release back into an environment, by hand."""

from dataclasses import replace

from prefect import flow
from prefect.runtime import flow_run

from flows.approval import ask_until_approved
from flows.back import page_failure, try_back
from flows.questions import rollback_request, settled
from flows.telling import telling
from flows.views import describe_rollback
from tasks.approval.task import note_opening
from tasks.core.past import Past, named
from tasks.core.record import Record
from tasks.core.target import Target
from tasks.guard.decide import asked_for, is_back
from tasks.guard.pages import REFUSALS
from tasks.rollout.model import Back, By, Place
from tasks.rollout.place import place_without_repository
from tasks.rollout.task import find_begun, read_past

__all__ = ["rollback"]


def _run_name() -> str:
    parameters = flow_run.parameters
    return f"roll back {parameters['environment']}/{parameters['application']}"


@flow(flow_run_name=_run_name, persist_result=True)
@telling()
def rollback(  # noqa: PLR0913, PLR0917 one field of the form each
    application: str,
    environment: str,
    namespace: str,
    reason: str,
    target: Target,
    to: int | str | None = None,
    actor: str = "",
    context: str | None = None,
) -> Record:
    """Restore a whole earlier release, configuration included, from the environment's records.

    Args:
        application: name in slipway.yaml.
        environment: name in slipway.yaml.
        namespace: the environment's namespace.
        reason: stands in the history.
        target: the cluster to work with.
        to: number of the rollout, or id of the release, to go back to; the good one before the
            live one where absent.
        actor: who asks for it; the approver where absent.
        context: kube context, where the target names none.
    """
    place = place_without_repository(application, environment, namespace, target, context)
    begun, past = find_begun(place, flow_run.id), read_past(place)
    by, back = By(flow_run.id, actor), Back(reason, named(to))
    if begun is not None:  # killed while it acted: people were asked, go on
        by = By(flow_run.id, begun.actor, begun.approved_by)
    else:
        by, back = _approved(place, past, by, back)
    found = try_back(place, by, back)
    if isinstance(found, Record) and is_back(found):
        return found
    if isinstance(found, REFUSALS):
        raise found
    raise page_failure(place, asked_for(past, reason), found)


def _approved(place: Place, past: Past, by: By, back: Back) -> tuple[By, Back]:
    """Ask an approver where the environment has any, and say for whom and against what they are."""
    request = rollback_request(place, past, back)
    back = settled(back, past, request)
    if request is None:
        return by, back
    request = replace(request, opened_at=note_opening(request.plan))
    approved = ask_until_approved(request, lambda notice: describe_rollback(request, back, notice))
    return replace(by, actor=by.actor or approved[0], approved_by=approved), back
