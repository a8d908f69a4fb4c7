"""Bringing an earlier release back, by hand."""

from dataclasses import replace

from tasks.core.errors import Conflict, GateClosed
from tasks.core.model import Outcome, Record, RolloutState, Verdict
from tasks.rollout import lock, records
from tasks.rollout.drive import drive
from tasks.rollout.lock import Aside
from tasks.rollout.model import Back, By, Place, Ports, Stored
from tasks.rollout.opening import clear_way, draft, fetch_own, is_of, open_record
from tasks.rollout.running import Rollout

__all__ = ["choose", "roll_back"]


def roll_back(place: Place, by: By, back: Back, ports: Ports) -> Record:
    """Bring a whole earlier release back, from the records alone, and mark the live one bad.

    A rollout that is under way is what goes back, at once and by itself: it is asked to, or, where
    its run is gone or waits for people, turned round here. Its record is returned.

    Raises:
        GateClosed: there is no such rollout, or its release was taken back itself.
        Conflict: another run took over, or what is blamed is not live any more.
        Unavailable: the cluster does not answer; call again.
    """
    asked = Aside(by.run, _reason(by, back), takes_back=True) if back.to is None else None
    with lock.hold(ports.cluster, ports.clock, place.namespace, by.run, asked) as held:
        stored = fetch_own(place, ports)
        newest = stored[-1] if stored else None
        if newest and asked and _is_turned(newest, by):
            rollout = Rollout(place, ports, held, newest)
            if newest.progress.failed is None:
                rollout.write(_turned(newest, asked))
            return drive(rollout)
        if newest and newest.record.restores is not None and is_of(newest, by):
            rollout = Rollout(place, ports, held, newest)
        else:
            _refuse_other_live(stored, back, place)
            begun = _draft_back(choose(stored, back.to, place), place, by, ports)
            begun = replace(begun, record=replace(begun.record, reason=back.reason))
            rollout = Rollout(place, ports, held, begun)
            clear_way(begun.record.release.id, rollout)
            rollout.stored = open_record(begun, rollout)
        _mark_bad(rollout, stored)
        return drive(rollout)


def _reason(by: By, back: Back) -> str:
    who = f" by {by.actor}" if by.actor else ""
    return f"taken back{who}: {back.reason}"


def _is_turned(newest: Stored, by: By) -> bool:
    """Say whether the newest rollout is the one to take back: under way, or ended as we asked."""
    if newest.progress.asked_by == by.run:
        return True
    is_ours = newest.record.restores is not None
    return newest.record.state is RolloutState.STARTED and not is_ours


def _turned(left: Stored, asked: Aside) -> Stored:
    verdict = Verdict(Outcome.FAILED, asked.reason)
    return replace(left, progress=replace(left.progress, failed=verdict, asked_by=asked.run))


def _refuse_other_live(stored: tuple[Stored, ...], back: Back, place: Place) -> None:
    """Refuse to take back what nobody has said anything against."""
    live = records.newest_good(stored)
    if back.blames is not None and (live is None or live.record.release.id != back.blames):
        raise Conflict(
            f"{back.blames} is not live any more",
            where=str(place),
            next_step=f"look at `slipway history {place.name}`",
        )


def choose(stored: tuple[Stored, ...], to: int | str | None, place: Place) -> Stored:
    """Return the rollout that a rollback goes back to.

    Raises:
        GateClosed: there is none, or it is bad.
    """
    live = records.newest_good(stored)
    bad = records.bad_releases(stored)
    good = [each for each in stored if each.record.state is RolloutState.SUCCEEDED]
    if live is not None and to in _names(live):
        raise GateClosed(
            f"{_named(to)} is live already",
            where=str(place),
            next_step=f"choose an earlier one of `slipway history {place.name}`",
        )
    if to is not None:
        good = [each for each in good if to in _names(each)]
    elif live is not None:
        good = [each for each in good if each.record.release.id != live.record.release.id]
    usable = [each for each in good if each.record.release.id not in bad]
    if usable:
        return max(usable, key=lambda each: each.record.number)
    what = _named(to) if to is not None else "an earlier good rollout"
    why = "its release was taken back itself" if good else "no such rollout has succeeded"
    raise GateClosed(
        f"cannot go back to {what}: {why}",
        where=str(place),
        next_step=f"choose one of `slipway history {place.name}`",
    )


def _names(stored: Stored) -> tuple[int, str]:
    """Return by what a person may call a rollout."""
    return stored.record.number, stored.record.release.id


def _named(to: int | str | None) -> str:
    return f"rollout {to}" if isinstance(to, int) else f"release {to}"


def _draft_back(goal: Stored, place: Place, by: By, ports: Ports) -> Stored:
    """Return a new rollout that brings an earlier one back as it was."""
    environment = goal.environment or place.environment
    former = replace(place, environment=environment, rules=goal.rules)
    begun = draft(goal.record.release, former, by, ports)
    return replace(begun, record=replace(begun.record, restores=goal.record.number))


def _mark_bad(rollout: Rollout, stored: tuple[Stored, ...]) -> None:
    """Mark what was live before a rollback, so that nothing deploys it again unasked."""
    current = rollout.stored.record
    live = records.newest_good(each for each in stored if each.record.number < current.number)
    if live and live.record.release.id != current.release.id:
        marked = replace(live, bad=True, fence=rollout.lock.number)
        records.update(rollout.ports.cluster, marked)
