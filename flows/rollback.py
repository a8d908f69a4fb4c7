"""A whole earlier release back into an environment, by hand."""

from dataclasses import replace

from prefect import flow
from prefect.runtime import flow_run

from flows.approval import ask_until_approved
from flows.back import page_failure, try_back
from flows.clearing import clear_up
from flows.deeds import proof_of
from flows.questions import (
    approved_before,
    require_at_stake,
    rollback_request,
    settled,
    way_of,
)
from flows.telling import telling
from flows.trail import try_write
from flows.views import describe_rollback
from tasks.approval.task import note_opening
from tasks.audit import Proof
from tasks.core.choices import chosen_in
from tasks.core.past import Past
from tasks.core.record import Record
from tasks.core.target import Target
from tasks.guard.decide import asked_for, is_back
from tasks.guard.pages import REFUSALS
from tasks.rollout.model import Back, By, Place
from tasks.rollout.place import Where, place_without_repository, where_of
from tasks.rollout.task import find_begun, look_now, plan_back, read_past

__all__ = ["rollback"]


def _run_name() -> str:
    parameters = flow_run.parameters
    return f"roll back {parameters['environment']}/{parameters['application']}"


@flow(flow_run_name=_run_name, persist_result=True)
@telling()
def rollback(  # noqa: PLR0913, PLR0917 one field of the form each
    application: str,
    environment: str,
    reason: str,
    target: Target,
    namespace: str = "",
    to: int | str | None = None,
    actor: str = "",
    context: str | None = None,
    places: dict[str, Where] | None = None,
) -> Record:
    """Restore a whole earlier release, configuration included, from the environment's records.

    Args:
        application: name in slipway.yaml.
        environment: name in slipway.yaml.
        reason: stands in the history.
        target: the cluster to work with.
        namespace: the environment's namespace; that of its place where absent.
        to: number of the rollout, or id of the release, to go back to; the good one before the
            live one where absent.
        actor: who asks for it; the approver where absent.
        context: kube context, where the target names none.
        places: where each environment of the application is.
    """
    where = where_of(environment, Where(namespace, context or ""), places or {})
    place = place_without_repository(
        application, environment, where.namespace, target, where.context
    )
    clear_up(place)
    begun, past = find_begun(place, flow_run.id), read_past(place)
    by, back = By(flow_run.id, actor), Back(reason, chosen_in(to, environment))
    if begun is not None:  # killed while it acted: people were asked, go on
        by, proof = By(flow_run.id, begun.actor, begun.approved_by), Proof.NONE
    else:
        by, back, proof = _approved(place, past, by, back)
    found = try_back(place, by, back, proof)
    if isinstance(found, Record) and is_back(found):
        return found
    if isinstance(found, REFUSALS):
        raise found
    raise page_failure(place, asked_for(past, reason), found)


def _approved(place: Place, past: Past, by: By, back: Back) -> tuple[By, Back, Proof]:
    """Ask an approver where the environment has any, and say for whom and against what they are.

    The proof is that of their answer.
    """
    now = note_opening(f"back from {past.live}")
    request = rollback_request(place, past, back, now)
    approved = approved_before(past, back, now)
    back = settled(back, past, request)
    if request is None:
        return replace(by, approved_by=approved), back, Proof.NONE
    request, way = replace(request, opened_at=now), way_of(past, back, place)
    if way.restores is not None:
        way = replace(way, plan=plan_back(place, way.restores))
    found = ask_until_approved(
        request,
        place,
        lambda notice, _: describe_rollback(request, back, way, notice),
        require=lambda: require_at_stake(look_now(place), back, place),
        write=try_write,
    )
    by = replace(by, actor=by.actor or found.by[0], approved_by=found.by)
    return by, back, proof_of(found.means)
