"""The rollout stage as Prefect tasks; thin, so that everything else is tested without Prefect."""

from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from tasks.core.admission import Admission
from tasks.core.clock import utc_now
from tasks.core.cluster_api import connect
from tasks.core.errors import Conflict, Unavailable
from tasks.core.markdown import inline, page
from tasks.core.model import Release, Verdict
from tasks.core.past import Past
from tasks.core.record import Moment, Plan, Record
from tasks.core.task import SOON, again, publish
from tasks.report.effects import report_place, store_report
from tasks.rollout import afterwards, history, records
from tasks.rollout import make_way as way_making
from tasks.rollout import plan as planning
from tasks.rollout import roll_back as back_rolling
from tasks.rollout import roll_out as rolling
from tasks.rollout import settle as settling
from tasks.rollout.model import Back, By, Place
from tasks.rollout.ports import ports_of
from tasks.rollout.promotable import choose_release
from tasks.rollout.refusals import refuse_bad
from tasks.rollout.render import count_changes, plan_page, record_page

__all__ = [
    "find_admission",
    "find_begun",
    "find_in_way",
    "find_live_commit",
    "find_release",
    "judge_live",
    "look_now",
    "make_way",
    "note_in_record",
    "plan_back",
    "plan_release",
    "prepare_namespace",
    "read_past",
    "roll_back",
    "roll_out",
    "settle",
    "was_taken_back",
]

PATIENCE = [*SOON, 30.0, *[60.0] * 30]
"""Seconds between tries of what acts: half an hour in all, for a cluster that is being mended."""


def _is_crossed(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Say whether somebody else wrote at the same time, or the cluster was away."""
    return isinstance(state.result(raise_on_failure=False), (Unavailable, Conflict))


def _publish(record: Record, before: Record | None, place: Place) -> None:
    """Show a rollout, and write the page of the one before anew: it may have been ended by ours."""
    if before is not None:
        _report(before, place)
    summary = f"{record.state.value}: {record.reason}"
    shown = page(record_page(record, place), _report(record, place))
    publish(("rollout", place.application, place.name), shown, summary)


def _report(record: Record, place: Place) -> str:
    """Store the report page and say where; one that cannot be stored stops nothing."""
    again = f"`slipway show {record.environment} {record.number} --html FILE` writes it anywhere."
    try:
        store_report(record, place.rules.slos)
    except Exception as error:  # noqa: BLE001 no page is worth a rollout that is over
        get_run_logger().warning("the report could not be stored: %s", error)
        return again
    where = report_place(record)
    shown = f"[rollout {record.number}]({where})" if "://" in where else inline(where)
    return f"Report: {shown}. {again}"


@task(task_run_name="{place.name}: begun before?", cache_policy=NO_CACHE, **again(SOON))
def find_begun(place: Place, run: str) -> Record | None:
    """Return the rollout that this run began before it was paused or its process killed."""
    with connect(place.target) as cluster:
        return history.begun_by(run, place, cluster)


@task(task_run_name="{place.name}: who lets it in?", cache_policy=NO_CACHE, **again(SOON))
def find_admission(place: Place) -> Admission:
    """Return the gates as they hold for what comes in now: what is live has a say in them."""
    with connect(place.target) as cluster:
        return history.admission_of(place, records.fetch(cluster, place.namespace))


@task(task_run_name="{place.name}: commit of rollout {number}", **again(SOON))
def find_live_commit(place: Place, number: int) -> str | None:
    """Return the commit that a rollout brought, None where there is no such rollout any more."""
    with connect(place.target) as cluster:
        found = (each for each in history.history(place, cluster) if each.number == number)
        return next((each.release.commit for each in found), None)


@task(
    task_run_name="{place.name}: another rollout under way?", cache_policy=NO_CACHE, **again(SOON)
)
def find_in_way(release: Release, place: Place, despite: str | None = None) -> Record | None:
    """Return the rollout that has to end before people are asked about a release."""
    with connect(place.target) as cluster:
        return way_making.find_in_way(release, place, cluster, despite)


@task(task_run_name="{place.name}: which release?", **again(SOON))
def find_release(place: Place, goal: int | str | None, environment: str) -> Record:
    """Return the rollout whose release goes to another environment; the same all through a run."""
    with connect(place.target) as cluster:
        stored = records.fetch(cluster, place.namespace)
    return choose_release(stored, goal, place, environment)


@task(task_run_name="{place.name}: make way", cache_policy=NO_CACHE, **again(PATIENCE))
def make_way(release: Release, place: Place, by: By) -> None:
    """Wait until no other rollout is under way; one that waits for people goes back."""
    with connect(place.target) as cluster:
        ended = way_making.make_way(release, place, by, ports_of(cluster))
    for each in ended:
        _report(each, place)


@task(task_run_name="{place.name}: plan", cache_policy=NO_CACHE, **again(SOON))
def plan_release(release: Release, place: Place, despite: str | None = None) -> Plan:
    """Say what rolling a release out would do; one that was taken back is refused before that."""
    with connect(place.target) as cluster:
        refuse_bad(records.fetch(cluster, place.namespace), release, place, despite)
        plan = planning.plan(release, place, cluster)
    publish(("plan", place.application, place.name), plan_page(plan), count_changes(plan))
    return plan


@task(task_run_name="{place.name}: plan back to {number}")
def plan_back(place: Place, number: int) -> Plan | None:
    """Say what going back to a rollout would change, None where that cannot be said now.

    Whoever wants to go back is asked all the same.
    """
    try:
        with connect(place.target) as cluster:
            return back_rolling.plan_back(number, place, cluster)
    except Exception as error:  # noqa: BLE001 what is only shown stops nobody
        get_run_logger().warning("nobody can say what a rollback would change: %s", error)
        return None


@task(task_run_name="{place.name}: namespace", **again(SOON))
def prepare_namespace(release: Release, place: Place) -> None:
    """Make the namespace that a first release goes to."""
    with connect(place.target) as cluster:
        rolling.ensure_namespace(cluster, release, place)


@task(task_run_name="{place.name}: taken back?", **again(SOON))
def was_taken_back(place: Place, release: str) -> bool:
    """Say whether a release was taken back here, and so is refused unless somebody overrides."""
    with connect(place.target) as cluster:
        return history.is_bad(release, place, cluster)


@task(task_run_name="{place.name}: roll out", **again(PATIENCE))
def roll_out(release: Release, place: Place, by: By) -> Record:
    """Put a release into an environment, or leave the environment as it was."""
    with connect(place.target) as cluster:
        record = rolling.roll_out(release, place, by, ports_of(cluster))
        before = history.before(record.number, place, cluster)
    _publish(record, before, place)
    return record


@task(task_run_name="{place.name}: roll back", **again(PATIENCE))
def roll_back(place: Place, by: By, back: Back) -> Record:
    """Bring a whole earlier release back."""
    with connect(place.target) as cluster:
        record = back_rolling.roll_back(place, by, back, ports_of(cluster))
        before = history.before(record.number, place, cluster)
    _publish(record, before, place)
    return record


@task(task_run_name="{place.name}: settle", cache_policy=NO_CACHE, **again(PATIENCE))
def settle(place: Place, run: str, reason: str) -> Record | None:
    """End the rollout that a cancelled run has begun here, None where it has begun none."""
    with connect(place.target) as cluster:
        record = settling.settle(place, run, reason, ports_of(cluster))
        before = history.before(record.number, place, cluster) if record else None
    if record is not None:
        _publish(record, before, place)
    return record


@task(task_run_name="{place.name}: look back", **again(SOON))
def read_past(place: Place) -> Past:
    """Return what an environment has lived through; the same all through a run."""
    with connect(place.target) as cluster:
        return history.past(place, cluster)


@task(task_run_name="{place.name}: free?", cache_policy=NO_CACHE, **again(SOON))
def look_now(place: Place) -> Past:
    """Return what an environment has lived through until this moment."""
    with connect(place.target) as cluster:
        return history.past(place, cluster)


@task(task_run_name="{place.name}: judge rollout {number} again", **again(SOON))
def judge_live(place: Place, number: int) -> Verdict:
    """Hold what a live release's pods do now against the release before it."""
    with connect(place.target) as cluster:
        verdict = afterwards.judge_live(place, number, ports_of(cluster))
    get_run_logger().info("%s: %s: %s", place, verdict.outcome.value, verdict.reason)
    return verdict


@task(task_run_name="{place.name}: note", **again(SOON, _is_crossed))
def note_in_record(place: Place, number: int | None, what: str) -> None:
    """Keep with a rollout's record what happened to it after its end."""
    with connect(place.target) as cluster:
        history.note(place, number, Moment(utc_now(), what), cluster)
