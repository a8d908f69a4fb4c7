"""One release into one environment."""

from dataclasses import dataclass, replace

from prefect.runtime import flow_run

from flows.approval import await_approval, claim_place
from flows.back import page_if_left
from flows.telling import tell_acting, tell_plan, tell_record
from tasks.core.application import Application
from tasks.core.errors import GateClosed, StageFailed
from tasks.core.model import Release
from tasks.core.record import ChangeKind, Plan, Record, RolloutState
from tasks.core.target import Target
from tasks.freeze.task import require_thawed
from tasks.notify.model import State
from tasks.push.task import confirm_pushed
from tasks.rollout.model import By, Place
from tasks.rollout.place import place_of
from tasks.rollout.task import find_begun, find_in_way, make_way, plan_release, roll_out

__all__ = ["Wishes", "gate_plan", "promote"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person who started the run wants.

    Attributes:
        despite: why a release that was taken back before should be tried again.
    """

    target: Target
    despite: str | None = None


def promote(
    release: Release,
    name: str,
    application: Application,
    wishes: Wishes,
    before: Record | None = None,
) -> Record:
    """Bring a release to an environment, or leave the environment as it was.

    Somebody is woken up where neither came true.

    Args:
        release: what is brought.
        name: of the environment.
        application: what slipway.yaml says.
        wishes: what the person who started the run wants.
        before: the rollout into the environment before this one, for approvers to read.
    """
    place = place_of(application, name, wishes.target)
    record = _promoted(release, place, wishes, before)
    tell_record(place, record)
    page_if_left(place, record)
    return record


def _promoted(release: Release, place: Place, wishes: Wishes, before: Record | None) -> Record:
    begun = find_begun(place, flow_run.id)
    if begun is not None:  # before a pause or a kill: gates were passed; what is over is reported
        by = By(flow_run.id, begun.actor, begun.approved_by, wishes.despite)
        return _through_gates(begun.release, place, by)
    require_thawed(place.name, place.environment.freezes)
    if place.environment.approval is not None:
        _await_turn(release, place, wishes)
    plan = plan_release(release, place, wishes.despite)
    approved: tuple[str, ...] = ()
    asks = place.environment.approval is not None and _changes(plan)
    tell_plan(release, place, plan, State.WAITING if asks else State.PENDING)
    if place.environment.approval is not None and asks:
        approved = await_approval(release, plan, place.environment.approval, before)
        _require_images(release, place)
    by = By(flow_run.id, release.author, approved, wishes.despite, plan.id if approved else None)
    return _through_gates(release, place, by)


def _await_turn(release: Release, place: Place, wishes: Wishes) -> None:
    """Let another rollout end, so that people are never asked about a half-way state."""
    if find_in_way(release, place, wishes.despite) is not None:
        claim_place(release.application, place.name)
        make_way(release, place, By(flow_run.id, release.author, despite=wishes.despite))


def _through_gates(release: Release, place: Place, by: By) -> Record:
    """Roll a release out, and ask people at every gate on its way."""
    while True:
        tell_acting(release, place, by)
        record = roll_out(release, place, by)
        if record.state is not RolloutState.STARTED or record.plan is None:
            return record
        try:
            _ask_at_gate(record, place, by.gates)
        except GateClosed as error:
            refused = replace(by, refused=f"at a gate: {error.what}")
            page_if_left(place, roll_out(release, place, refused))
            raise
        by = replace(by, gates=by.gates + 1)


def _ask_at_gate(record: Record, place: Place, opened: int) -> None:
    """Suspend the run until people let a canary go on, or raise."""
    rules, plan = place.environment.approval, record.plan
    if rules is None or plan is None:
        raise GateClosed("nobody is named who could open it", where=str(place))
    tell_record(place, record)
    await_approval(record.release, gate_plan(plan, record, opened), rules, record)


def gate_plan(plan: Plan, record: Record, opened: int) -> Plan:
    """Return the plan as it is asked about at a gate: an answer there is for that gate alone."""
    share = next((each.share for each in reversed(record.moments) if each.share is not None), 0)
    said = f"the canary has {share} % of the traffic and waits; approve lets it go on"
    return replace(plan, id=f"{plan.id}-gate-{opened + 1}", warnings=(said, *plan.warnings))


def _require_images(release: Release, place: Place) -> None:
    """Look again at what was approved: days may have passed since."""
    missing = [each for each in release.images if not confirm_pushed(each, place.target)]
    if missing:
        raise StageFailed(
            f"the registry has lost {', '.join(each.reference for each in missing)}",
            where=str(place),
            next_step="deliver the commit again",
        )


def _changes(plan: Plan) -> bool:
    return any(change.kind is not ChangeKind.UNCHANGED for change in plan.changes)
