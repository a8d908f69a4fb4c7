"""One release into one environment."""

from prefect.runtime import flow_run

from flows.approval import await_approval
from tasks.core.application import Application
from tasks.core.model import ChangeKind, Plan, Record, Release, Target
from tasks.freeze.task import require_thawed
from tasks.rollout.model import By, Place
from tasks.rollout.task import find_own_rollout, plan_rollout, roll_out_release

__all__ = ["promote"]


def promote(release: Release, name: str, application: Application, target: Target) -> Record:
    """Bring a release to an environment, or leave the environment as it was."""
    environment = application.environments[name]
    place = Place(application.application, name, environment, target)
    begun = find_own_rollout(place, flow_run.id)
    if begun is not None:  # a killed process got as far as acting: gates were passed, go on
        return roll_out_release(
            begun.release, place, By(flow_run.id, begun.actor, begun.approved_by)
        )
    require_thawed(name, environment.freezes)
    plan = plan_rollout(release, place)
    approved: tuple[str, ...] = ()
    if environment.approval is not None and _changes(plan):
        approved = await_approval(release, plan, environment.approval)
    return roll_out_release(release, place, By(flow_run.id, release.author, approved))


def _changes(plan: Plan) -> bool:
    return any(change.kind is not ChangeKind.UNCHANGED for change in plan.changes)
