"""One release into one environment."""

from dataclasses import dataclass, replace

from prefect.runtime import flow_run

from flows.approval import await_approval, claim_place
from flows.back import page_if_left
from flows.deeds import overridden
from flows.questions import NOBODY, Terms, rollout_request, rules_of
from flows.telling import tell_acting, tell_plan, tell_record
from flows.trail import started_from, write
from flows.views import Question
from tasks.approval.model import Request
from tasks.approval.task import note_opening
from tasks.audit.task import newest_entry
from tasks.core.admission import Admission
from tasks.core.application import Application
from tasks.core.clock import utc_now
from tasks.core.errors import GateClosed, SlipwayError, StageFailed
from tasks.core.gates import Approval
from tasks.core.model import Release
from tasks.core.record import Plan, Record, RolloutState
from tasks.core.target import Target
from tasks.freeze.task import find_closed, require_open
from tasks.notify.model import State
from tasks.push.task import confirm_pushed
from tasks.rollout.model import By, Place
from tasks.rollout.place import place_of
from tasks.rollout.task import (
    find_admission,
    find_begun,
    find_in_way,
    find_live_commit,
    make_way,
    note_in_record,
    plan_release,
    prepare_namespace,
    roll_out,
    was_taken_back,
)
from tasks.source.task import find_committers

__all__ = ["Wishes", "failure_of", "gate_plan", "promote", "require_images"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person who started the run wants.

    Attributes:
        despite: why a release that was taken back before should be tried again.
        repository: where the release's commit is from; None where that is not known.
        onto: number of the rollout that has to be live still; any where None.
        unasked: nobody is asked before it comes in; at a canary's gates people still are.
        actor: who stands in the record; the commit's author where absent.
    """

    target: Target
    despite: str | None = None
    repository: str | None = None
    onto: int | None = None
    unasked: bool = False
    actor: str = ""


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
        return _through_gates(begun.release, place, by, wishes)
    admission = find_admission(place)
    # a night builds the live commit, whose file may say less than what was agreed on since
    unasked = wishes.unasked and not admission.changed
    if unasked or _rules(admission, place) is None:
        require_open(place.name, admission.calendar)
    else:
        _await_turn(release, place, wishes)
        admission = find_admission(place)
    rules = None if unasked else _rules(admission, place)
    plan = plan_release(release, place, wishes.despite)
    _require_onto(plan, wishes, place)
    if wishes.despite is not None and was_taken_back(place, release.id):
        write(place, overridden(release, place, flow_run.id, started_from(), wishes.despite))
    bound = plan.id if wishes.onto is not None else None
    by = By(flow_run.id, wishes.actor or release.author, despite=wishes.despite, plan=bound)
    asks = rules is not None and bool(plan.changed or admission.changed)
    tell_plan(release, place, plan, State.WAITING if asks else State.PENDING)
    if rules is not None and asks:
        terms = Terms(rules, admission, place.environment.rollback)
        request = _request(release, plan, terms, place, wishes)
        by = _approved(Question(request, release, plan, before), place, by)
        require_images(release, place)
    return _through_gates(release, place, by, wishes)


def _rules(admission: Admission, place: Place) -> Approval | None:
    """Return who is asked first; only where that depends on the calendar it is looked at."""
    asks = admission.asks_while_closed
    closed = find_closed(place.name, admission.calendar) if asks else None
    return rules_of(admission, closed, utc_now())


def _request(release: Release, plan: Plan, terms: Terms, place: Place, wishes: Wishes) -> Request:
    """Return what people are asked, and who has worked on it where that counts."""
    people = NOBODY
    if terms.rules.not_committers:
        live = find_live_commit(place, plan.live) if plan.live is not None else None
        people = find_committers(wishes.repository or release.repository, live, release)
    return rollout_request(release, plan, terms, note_opening(plan.id), people)


def _approved(question: Question, place: Place, by: By) -> By:
    """Ask people, and say what they have approved and where that is written down."""
    if question.plan.live is None:
        prepare_namespace(question.release, place)  # the trail is in it
    approved = await_approval(question, place)
    trail = newest_entry(place.target, place.namespace)
    by = replace(by, approved_by=approved.by, override=approved.override)
    return replace(by, plan=question.plan.id, trail=trail)


def _require_onto(plan: Plan, wishes: Wishes, place: Place) -> None:
    """Leave alone what came while a release was made for what was live before.

    The rollout itself is bound to the plan, so that nothing comes between the two either.
    """
    if wishes.onto is not None and plan.live != wishes.onto:
        raise GateClosed(
            f"rollout {plan.live} came after rollout {wishes.onto}, for which this one was built",
            where=str(place),
            next_step="slipway redeploy builds for what is live now",
        )


def _await_turn(release: Release, place: Place, wishes: Wishes) -> None:
    """Let another rollout end, so that people are never asked about a half-way state."""
    if find_in_way(release, place, wishes.despite) is not None:
        claim_place(release.application, place.name)
        make_way(release, place, By(flow_run.id, release.author, despite=wishes.despite))


def _through_gates(release: Release, place: Place, by: By, wishes: Wishes) -> Record:
    """Roll a release out, and ask people at every gate on its way."""
    while True:
        tell_acting(release, place, by)
        record = roll_out(release, place, by)
        if record.state is not RolloutState.STARTED or record.plan is None:
            return record
        try:
            _ask_at_gate(record, place, by.gates, wishes)
        except Exception as error:  # whatever it is, this run will not let the canary go on
            what = error.what if isinstance(error, SlipwayError) else str(error)
            refused = replace(by, refused=f"at a gate: {what}")
            page_if_left(place, roll_out(release, place, refused))
            raise
        by = replace(by, gates=by.gates + 1)


def _ask_at_gate(record: Record, place: Place, opened: int, wishes: Wishes) -> None:
    """Suspend the run until people let a canary go on, or raise."""
    admission, plan = find_admission(place), record.plan
    if admission.approval is None or plan is None:
        raise GateClosed("nobody is named who could open it", where=str(place))
    terms = Terms(admission.approval, admission, place.environment.rollback)
    tell_record(place, record)
    asked = gate_plan(plan, record, opened)
    request = _request(record.release, asked, terms, place, wishes)
    approved = await_approval(Question(request, record.release, asked, record), place)
    if approved.override is not None:
        note_in_record(place, record.number, str(approved.override))


def gate_plan(plan: Plan, record: Record, opened: int) -> Plan:
    """Return the plan as it is asked about at a gate: an answer there is for that gate alone."""
    share = next((each.share for each in reversed(record.moments) if each.share is not None), 0)
    said = f"the canary has {share} % of the traffic and waits; approve lets it go on"
    return replace(plan, id=f"{plan.id}-gate-{opened + 1}", warnings=(said, *plan.warnings))


def require_images(release: Release, place: Place) -> None:
    """See that the registry still has what was built: days may have passed since."""
    missing = [each for each in release.images if not confirm_pushed(each, place.target)]
    if missing:
        raise StageFailed(
            f"the registry has lost {', '.join(each.reference for each in missing)}",
            where=str(place),
            next_step="deliver the commit again",
        )


def failure_of(record: Record) -> StageFailed:
    """Return the error that ends a run whose rollout did not succeed."""
    return StageFailed(
        record.reason,
        where=f"{record.release.application}/{record.environment}",
        next_step=f"slipway history {record.environment}",
    )
