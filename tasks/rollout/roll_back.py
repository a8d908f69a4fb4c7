"""Bringing an earlier release back, by hand, and what that would change."""

from dataclasses import replace

from tasks.core.admission import guarded_as
from tasks.core.cluster import Objects
from tasks.core.errors import GateClosed
from tasks.core.model import Outcome, Verdict
from tasks.core.record import Moment, Plan, Record, RolloutState
from tasks.core.strategy import Rolling, Strategy
from tasks.rollout import lock, records
from tasks.rollout.drive import drive
from tasks.rollout.goal import choose_goal, require_live
from tasks.rollout.lock import Aside
from tasks.rollout.model import Back, By, Place, Ports, Stored
from tasks.rollout.opening import clear_way, draft, ended_by, fetch_own, is_of, open_record
from tasks.rollout.plan import draw, survey
from tasks.rollout.refusals import refuse_tried
from tasks.rollout.running import Rollout

__all__ = ["plan_back", "roll_back"]


def plan_back(number: int, place: Place, cluster: Objects) -> Plan:
    """Say what applying the release of an earlier rollout again would change.

    Raises:
        GateClosed: the rollout is kept no more.
        ConfigError: the cluster refuses a manifest.
        Unavailable: the cluster does not answer.
    """
    stored = records.fetch(cluster, place.namespace)
    goal = next((each for each in stored if each.record.number == number), None)
    if goal is None:
        raise GateClosed(
            f"rollout {number} is kept no more",
            where=str(place),
            next_step=f"choose one of `slipway history {place.name}`",
        )
    then = _as_it_was(goal, place)
    at_once = replace(then.environment, strategy=Strategy(rolling=Rolling()), strategies={})
    seen = survey(goal.record.release, replace(then, environment=at_once), cluster)
    return draw(replace(seen, jobs=()))  # going back runs no hooks


def roll_back(place: Place, by: By, back: Back, ports: Ports) -> Record:
    """Bring a whole earlier release back, from the records alone, and mark the live one bad.

    What is not wanted any more is settled before others are waited for: the release of a rollout
    that is under way, or else the live one. A rollout under way goes back at once and by itself:
    it is asked to, or, where its run is gone or waits for people, turned round here; its record is
    returned. A rollback that is under way already is never turned round: who asks meanwhile is
    told that the release is not live any more, or that the first one has come to nothing.

    Raises:
        GateClosed: there is no such rollout, or its release was taken back itself.
        Conflict: another run took over, what is blamed is not live any more, or another rollback
            of it has ended while this one waited.
        Unavailable: the cluster does not answer; call again.
    """
    known = fetch_own(place, ports.cluster)
    if (ended := ended_by(known, by)) is not None:
        return ended
    asked = None
    if back.to is None:
        back = replace(back, blames=back.blames or records.unwanted(known))
        asked = Aside(by.run, _reason(by, back), back.blames or "")
    with lock.hold(ports.cluster, ports.clock, place.namespace, by.run, asked) as held:
        stored = fetch_own(place, ports.cluster)
        newest = stored[-1] if stored else None
        if newest and asked and _is_turned(newest, by, back):
            rollout = Rollout(place, ports, held, newest)
            if newest.progress.failed is None:
                rollout.write(_turned(newest, asked))
            return drive(rollout)
        if newest and newest.record.restores is not None and is_of(newest, by):
            rollout = Rollout(place, ports, held, newest)
        else:
            _refuse_other_live(stored, back, place)
            if asked:
                refuse_tried(known, stored, by, place)
            begun = _draft_back(stored, back, place, by, ports)
            rollout = Rollout(place, ports, held, begun)
            clear_way(begun.record.release.id, rollout)
            rollout.stored = open_record(begun, rollout)
        _mark_bad(rollout, fetch_own(place, ports.cluster))
        return drive(rollout)


def _reason(by: By, back: Back) -> str:
    who = f" by {by.actor}" if by.actor else ""
    return f"taken back{who}: {back.reason}"


def _is_turned(newest: Stored, by: By, back: Back) -> bool:
    """Say whether the newest rollout is the one to take back: under way, or ended as we asked."""
    if newest.progress.asked_by == by.run:
        return True
    record = newest.record
    is_rollback = record.restores is not None
    is_open = record.state is RolloutState.STARTED
    return is_open and not is_rollback and record.release.id == back.blames


def _turned(left: Stored, asked: Aside) -> Stored:
    verdict = Verdict(Outcome.FAILED, asked.reason)
    return replace(left, progress=replace(left.progress, failed=verdict, asked_by=asked.run))


def _refuse_other_live(stored: tuple[Stored, ...], back: Back, place: Place) -> None:
    """Refuse to take back what nobody has said anything against."""
    live = records.newest_good(stored)
    if back.blames is not None:
        require_live(live.record if live else None, back.blames, place)


def _goal(stored: tuple[Stored, ...], to: int | str | None, place: Place) -> Stored:
    live = records.newest_good(stored)
    goal = choose_goal(
        (each.record for each in stored),
        live.record if live else None,
        records.bad_releases(stored),
        to,
        place,
    )
    return next(each for each in stored if each.record.number == goal.number)


def _draft_back(
    stored: tuple[Stored, ...], back: Back, place: Place, by: By, ports: Ports
) -> Stored:
    """Return a new rollout that brings an earlier one back as it was."""
    goal = _guarded(_goal(stored, back.to, place), records.newest_good(stored))
    begun = draft(goal.record.release, _as_it_was(goal, place), by, ports)
    record = replace(begun.record, restores=goal.record.number, reason=back.reason)
    return replace(begun, record=record)


def _guarded(goal: Stored, live: Stored | None) -> Stored:
    """Keep the rules that were agreed on last: going back lets nobody in who would not be now."""
    if live is None or live.environment is None:
        return goal
    # records of Slipway 0.1 know nothing of their environment
    described = goal.environment or live.environment
    return replace(goal, environment=guarded_as(described, live.environment))


def _as_it_was(goal: Stored, place: Place) -> Place:
    """Return an environment as slipway.yaml described it at an earlier rollout."""
    return replace(place, environment=goal.environment or place.environment, rules=goal.rules)


def _mark_bad(rollout: Rollout, stored: tuple[Stored, ...]) -> None:
    """Mark what was live before a rollback, so that nothing deploys it again unasked."""
    current = rollout.stored.record
    live = records.newest_good(each for each in stored if each.record.number < current.number)
    if live is None or live.bad or live.record.release.id == current.release.id:
        return
    why = f"taken back by rollout {current.number}: {current.reason}"
    said = Moment(rollout.ports.clock.now(), why, outcome=Outcome.FAILED)
    record = replace(live.record, moments=(*live.record.moments, said))
    marked = replace(live, record=record, bad=True, cleared=False, fence=rollout.lock.number)
    records.update(rollout.ports.cluster, marked)
