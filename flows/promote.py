"""One release into one environment."""

from prefect.runtime import flow_run

from flows.approval import await_approval
from tasks.core.application import Application
from tasks.core.model import ChangeKind, Plan, Record, Release, Target
from tasks.freeze.task import require_thawed
from tasks.rollout.model import By
from tasks.rollout.place import place_of
from tasks.rollout.task import find_begun, plan_release, roll_out

__all__ = ["promote"]


def promote(release: Release, name: str, application: Application, target: Target) -> Record:
    """Bring a release to an environment, or leave the environment as it was."""
    place = place_of(application, name, target)
    environment = place.environment
    begun = find_begun(place, flow_run.id)
    if begun is not None:  # a killed process got as far as acting: gates were passed, go on
        return roll_out(begun.release, place, By(flow_run.id, begun.actor, begun.approved_by))
    require_thawed(name, environment.freezes)
    plan = plan_release(release, place)
    approved: tuple[str, ...] = ()
    if environment.approval is not None and _changes(plan):
        approved = await_approval(release, plan, environment.approval)
    return roll_out(release, place, By(flow_run.id, release.author, approved))


def _changes(plan: Plan) -> bool:
    return any(change.kind is not ChangeKind.UNCHANGED for change in plan.changes)
