"""A whole earlier release back into an environment, by hand."""

from dataclasses import replace

from prefect import flow
from prefect.runtime import flow_run

from flows.approval import ask_until_approved
from flows.views import describe_rollback
from tasks.approval.model import Request
from tasks.approval.task import note_opening
from tasks.core.model import Record, Target
from tasks.core.past import Past
from tasks.rollout.model import Back, By, Place
from tasks.rollout.place import place_without_repository
from tasks.rollout.task import find_begun, read_past, roll_back

__all__ = ["rollback", "rollback_request"]


def _run_name() -> str:
    parameters = flow_run.parameters
    return f"roll back {parameters['environment']}/{parameters['application']}"


@flow(flow_run_name=_run_name, persist_result=True)
def rollback(  # noqa: PLR0913, PLR0917 one field of the form each
    application: str,
    environment: str,
    namespace: str,
    reason: str,
    target: Target,
    to: int | str | None = None,
    actor: str = "",
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
    """
    place = place_without_repository(application, environment, namespace, target)
    back = Back(reason, to)
    begun = find_begun(place, flow_run.id)
    if begun is not None:  # killed while it acted: people were asked, go on
        return roll_back(place, By(flow_run.id, begun.actor, begun.approved_by), back)
    past = read_past(place)
    request = rollback_request(place, past, back)
    if request is None:
        return roll_back(place, By(flow_run.id, actor), back)
    request = replace(request, opened_at=note_opening(request.plan))
    approved = ask_until_approved(request, lambda notice: describe_rollback(request, back, notice))
    # the yes is for taking this release back, not for whatever came meanwhile
    return roll_back(
        place,
        By(flow_run.id, actor or approved[0], approved),
        replace(back, blames=request.release),
    )


def rollback_request(place: Place, past: Past, back: Back) -> Request | None:
    """Return what one approver is asked; None where nobody has to be.

    In an emergency one person is enough, the author too. An environment that lets everything in
    unasked lets it out unasked.
    """
    live = past.record(past.live)
    if past.approval is None or past.rules.approval == "none" or live is None:
        return None
    return Request(
        application=place.application,
        environment=place.name,
        release=live.release.id,
        plan=f"back-from-{live.number}-to-{back.to or past.goal}",
        author=live.release.author,
        author_email=live.release.author_email,
        opened_at=live.started_at,
        rules=replace(past.approval, count=1, not_author=False, comment=False),
    )
