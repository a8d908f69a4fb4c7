"""Putting a release into an environment, or an earlier one back."""

import logging
from dataclasses import replace

from tasks.core.cluster import Objects
from tasks.core.errors import ConfigError, Conflict, GateClosed
from tasks.core.model import (
    ChangeKind,
    Outcome,
    Plan,
    Record,
    Release,
    RolloutState,
    Verdict,
)
from tasks.core.objects import Kind, Ref, parse_stream, ref_of
from tasks.rollout import lock, records
from tasks.rollout.changing import was_scaled
from tasks.rollout.drive import drive, end_abandoned
from tasks.rollout.model import Back, By, Place, Ports, Stored
from tasks.rollout.plan import Survey, draw, lacks, survey
from tasks.rollout.running import Rollout

__all__ = ["roll_back", "roll_out"]

NAMESPACE = Kind("v1", "Namespace")

log = logging.getLogger(__name__)


def roll_out(release: Release, place: Place, by: By, ports: Ports) -> Record:
    """Put a release into an environment, or leave the environment as it was.

    Killed at any point and called again it goes on where it was. The record says how it ended;
    a release that fails is no error. The record of the live release comes back where it is
    this release already and nothing in the cluster differs from it.

    Raises:
        ConfigError: the cluster refuses the manifests; nothing was changed.
        Conflict: somebody else holds fields of ours, or another run took over.
        GateClosed: the release was taken back before, or another rollout does not end.
        Unavailable: the cluster does not answer; call again.
    """
    _ensure_namespace(ports.cluster, release, place)
    with lock.hold(ports.cluster, ports.clock, place.namespace, by.run) as held:
        stored = records.fetch(ports.cluster, place.namespace)
        _refuse_strangers(stored, place)
        newest = stored[-1] if stored else None
        if newest and newest.record.release.id == release.id and _is_of(newest, by):
            return _go_on(newest, Rollout(place, ports, held, newest, by.gates), by)
        _refuse_bad(stored, release, place, by)
        _refuse_ended(by, place)
        draft = _draft(release, place, by, ports)
        rollout = Rollout(place, ports, held, draft, by.gates)
        _clear_way(draft, rollout)
        seen = survey(release, place, ports.cluster)
        if seen.current and seen.current.release.id == release.id and _is_unchanged(draw(seen)):
            log.info("%s: %s is live already, nothing changes", place, release.id)
            return seen.current
        _refuse_other_plan(draw(seen), by, place)
        _refuse_conflicts(seen)
        _refuse_lack(seen)
        rollout.stored = _open(replace(draft, record=_with_plan(draft.record, seen)), rollout)
        return drive(rollout)


def roll_back(place: Place, by: By, back: Back, ports: Ports) -> Record:
    """Bring a whole earlier release back, from the records alone, and mark the live one bad.

    Raises:
        GateClosed: there is no such rollout, or its release was taken back itself.
        Conflict: another run took over, or what is blamed is not live any more.
        Unavailable: the cluster does not answer; call again.
    """
    with lock.hold(ports.cluster, ports.clock, place.namespace, by.run) as held:
        stored = records.fetch(ports.cluster, place.namespace)
        _refuse_strangers(stored, place)
        newest = stored[-1] if stored else None
        if newest and newest.record.restores is not None and _is_of(newest, by):
            rollout = Rollout(place, ports, held, newest)
        else:
            _refuse_other_live(stored, back, place)
            draft = _draft_back(choose(stored, back.to, place), place, by, ports)
            draft = replace(draft, record=replace(draft.record, reason=back.reason))
            rollout = Rollout(place, ports, held, draft)
            _clear_way(draft, rollout)
            rollout.stored = _open(draft, rollout)
        _mark_bad(rollout, stored)
        return drive(rollout)


def _go_on(left: Stored, rollout: Rollout, by: By) -> Record:
    """Go on with what was left half-way; where people have refused it, on the way back."""
    if by.refused and left.record.state is RolloutState.STARTED and left.progress.failed is None:
        verdict = Verdict(Outcome.FAILED, by.refused)
        rollout.write(replace(left, progress=replace(left.progress, failed=verdict)))
    return drive(rollout)


def _is_of(newest: Stored, by: By) -> bool:
    """Say whether a rollout was left half-way, or was ended by this run and not yet reported."""
    return newest.record.state is RolloutState.STARTED or newest.record.run == by.run


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


def _open(draft: Stored, rollout: Rollout) -> Stored:
    """Store the record of a new rollout."""
    cluster = rollout.ports.cluster
    stored = records.fetch(cluster, rollout.place.namespace)
    number = max((each.record.number for each in stored), default=0) + 1
    record = replace(draft.record, number=number)
    return records.add(cluster, replace(draft, record=record, fence=rollout.lock.number))


def _clear_way(draft: Stored, rollout: Rollout) -> None:
    """End the rollouts that were left open."""
    for each in records.fetch(rollout.ports.cluster, rollout.place.namespace):
        if each.record.state is RolloutState.STARTED:
            end_abandoned(each, draft.record.release.id, rollout)


def _draft(release: Release, place: Place, by: By, ports: Ports) -> Stored:
    return Stored(
        Record(
            number=0,
            environment=place.name,
            namespace=place.namespace,
            release=release,
            state=RolloutState.STARTED,
            reason="",
            started_at=ports.clock.now(),
            run=by.run,
            actor=by.actor,
            approved_by=by.approved_by,
        ),
        environment=place.environment,
        rules=place.rules,
    )


def _draft_back(goal: Stored, place: Place, by: By, ports: Ports) -> Stored:
    """Return a new rollout that brings an earlier one back as it was."""
    environment = goal.environment or place.environment
    former = replace(place, environment=environment, rules=goal.rules)
    draft = _draft(goal.record.release, former, by, ports)
    return replace(draft, record=replace(draft.record, restores=goal.record.number))


def _with_plan(record: Record, seen: Survey) -> Record:
    return replace(record, plan=draw(seen))


def _mark_bad(rollout: Rollout, stored: tuple[Stored, ...]) -> None:
    """Mark what was live before a rollback, so that nothing deploys it again unasked."""
    current = rollout.stored.record
    live = records.newest_good(each for each in stored if each.record.number < current.number)
    if live and live.record.release.id != current.release.id:
        marked = replace(live, bad=True, fence=rollout.lock.number)
        records.update(rollout.ports.cluster, marked)


def _ensure_namespace(cluster: Objects, release: Release, place: Place) -> None:
    """Make the namespace, which has to be there before lock and record can be."""
    ref = Ref(NAMESPACE, "", place.namespace)
    if cluster.read(ref) is not None:
        return
    labels = {"app.kubernetes.io/managed-by": "slipway"}
    bare = {"metadata": {"name": ref.name, "labels": labels}}
    objects = parse_stream(release.manifests_for(place.name).yaml)
    named = [thing for thing in objects if ref_of(thing) == ref]
    cluster.apply(named[0] if named else {"apiVersion": "v1", "kind": "Namespace", **bare})


def _is_unchanged(planned: Plan) -> bool:
    return all(change.kind is ChangeKind.UNCHANGED for change in planned.changes)


def _refuse_strangers(stored: tuple[Stored, ...], place: Place) -> None:
    for each in stored:
        whose = (each.record.release.application, each.record.environment)
        if whose != (place.application, place.name):
            raise ConfigError(
                f"the namespace belongs to {whose[1]} of {whose[0]} already",
                where=f"{place}: namespace {place.namespace}",
                next_step="give every environment of every application its own namespace",
            )


def _refuse_bad(stored: tuple[Stored, ...], release: Release, place: Place, by: By) -> None:
    if by.despite is None and release.id in records.bad_releases(stored):
        raise GateClosed(
            f"{release.id} was taken back here before",
            where=str(place),
            next_step="deliver another commit, or say why this one may be tried again: "
            f"slipway release clear {release.id} {place.name} --reason TEXT",
        )


def _refuse_ended(by: By, place: Place) -> None:
    """Refuse to begin anew where people were asked about a rollout that is over."""
    if by.gates or by.refused:
        raise GateClosed(
            "the rollout that waited at a gate was ended meanwhile",
            where=str(place),
            next_step=f"look at `slipway history {place.name}`, or deliver the commit again",
        )


def _refuse_other_plan(planned: Plan, by: By, place: Place) -> None:
    if by.plan is not None and by.plan != planned.id:
        raise GateClosed(
            f"the approval is for plan {by.plan}; the environment has changed and it is "
            f"{planned.id} now",
            where=str(place),
            next_step=f"look at `slipway plan {place.name}` and ask for another approval",
        )


def _refuse_lack(seen: Survey) -> None:
    """Refuse a canary that would get stuck half-way; a rolling update only warns."""
    lacking = lacks(seen)
    if lacking and seen.outlook.ladder is not None:
        raise GateClosed(
            f"no room for a canary beside the live pods: {'; '.join(lacking)}",
            where=str(seen.place),
            next_step="raise the quota, or choose the strategy rolling",
        )


def _refuse_conflicts(seen: Survey) -> None:
    """Refuse to fight with others over fields, except for replicas that an autoscaler left."""
    for look in seen.looks:
        for conflict in look.conflicts:
            if conflict.field == ".spec.replicas" and was_scaled(look.live):
                continue
            raise Conflict(
                f"{conflict.field} is held by {conflict.manager}",
                where=f"{seen.place}: {ref_of(look.wanted)}",
                next_step="take that change back, or put it into the manifests",
            )
