"""Putting a release into an environment."""

import logging
from dataclasses import replace

from tasks.core.admission import admission
from tasks.core.cluster import Objects
from tasks.core.model import Outcome, Release, Verdict
from tasks.core.objects import Kind, Ref, parse_stream, ref_of
from tasks.core.record import Moment, Plan, Record, RolloutState
from tasks.rollout import lock, records
from tasks.rollout.drive import drive
from tasks.rollout.history import admission_of
from tasks.rollout.model import By, Place, Ports, Stored
from tasks.rollout.opening import (
    clear_way,
    draft,
    ended_by,
    fetch_own,
    is_of,
    open_record,
    wish,
)
from tasks.rollout.plan import Survey, draw, survey
from tasks.rollout.refusals import (
    refuse_bad,
    refuse_closed,
    refuse_conflicts,
    refuse_ended,
    refuse_lack,
    refuse_other_plan,
    refuse_superseded,
    refuse_unasked,
)
from tasks.rollout.running import Rollout

__all__ = ["ensure_namespace", "roll_out"]

NAMESPACE = Kind("v1", "Namespace")

log = logging.getLogger(__name__)


def roll_out(release: Release, place: Place, by: By, ports: Ports) -> Record:
    """Put a release into an environment, or leave the environment as it was.

    Killed at any point and called again it goes on where it was; what is over is only reported.
    The record says how it ended, or that it waits at a gate; a release that fails is no error. The
    record of the live release comes back where it is this release already and nothing in the
    cluster differs from it.

    Raises:
        ConfigError: the cluster refuses the manifests; nothing was changed.
        Conflict: somebody else holds fields of ours, or another run took over.
        GateClosed: the release was taken back before, another rollout does not end, a newer
            release came while this one waited, or it is closed by the calendar.
        Unavailable: the cluster does not answer; call again.
    """
    ensure_namespace(ports.cluster, release, place)
    known = fetch_own(place, ports.cluster)
    if (ended := ended_by(known, by)) is not None:
        return ended
    if _begun(known, release, place, by) is None:  # nobody gives way to a release that is refused
        refuse_bad(known, release, place, by.despite)
        _refuse_early(known, release, place, by, ports)
    with lock.hold(
        ports.cluster, ports.clock, place.namespace, by.run, wish(release, place, by)
    ) as held:
        stored = fetch_own(place, ports.cluster)
        if (newest := _begun(stored, release, place, by)) is not None:
            return _go_on(newest, Rollout(place, ports, held, newest, by.gates), by)
        _refuse_before(known, stored, release, place, by)
        begun = _draft(stored, release, place, by, ports)
        rollout = Rollout(place, ports, held, begun, by.gates)
        clear_way(release.id, rollout)
        seen = survey(release, place, ports.cluster)
        planned = draw(seen)
        changes = planned.changed or admission_of(place, stored).changed
        if seen.current and seen.current.release.id == release.id and not changes:
            log.info("%s: %s is live already, nothing changes", place, release.id)
            return seen.current
        refuse_closed(stored, by, place, ports.clock.now())
        refuse_unasked(stored if changes else (), by, place)
        _refuse_late(seen, planned, by, place)
        begun = replace(begun, record=replace(begun.record, plan=planned))
        rollout.stored = open_record(begun, rollout)
        return drive(rollout)


def _draft(
    stored: tuple[Stored, ...], release: Release, place: Place, by: By, ports: Ports
) -> Stored:
    """Return the record to begin with; it keeps why what speaks against it did not count."""
    begun = draft(release, place, by, ports)
    said = [str(by.override)] if by.override else []
    if by.despite is not None and release.id in records.bad_releases(stored):
        said.append(f"deployed again although it was taken back: {by.despite}")
    moments = tuple(Moment(ports.clock.now(), what) for what in said)
    return replace(begun, record=replace(begun.record, moments=moments))


def _begun(stored: tuple[Stored, ...], release: Release, place: Place, by: By) -> Stored | None:
    """Return the newest rollout where it is of this release and for this run to go on with."""
    newest = stored[-1] if stored else None
    if newest is None or newest.record.release.id != release.id or not is_of(newest, by):
        return None
    # another commit with the same content may bring other rules, which have to be its record's
    is_other = newest.record.run != by.run
    if is_other and admission(place.environment, newest.environment).changed:
        return None
    return newest


def _refuse_early(
    known: tuple[Stored, ...], release: Release, place: Place, by: By, ports: Ports
) -> None:
    """Refuse another plan than the approved one before anybody is asked to give way.

    While a rollout is under way the plan is not the one that there is when it has gone back.
    """
    if by.plan is None or any(each.record.state is RolloutState.STARTED for each in known):
        return
    planned = draw(survey(release, place, ports.cluster))
    if planned.changed:
        refuse_other_plan(planned, by, place)


def _refuse_before(
    known: tuple[Stored, ...], stored: tuple[Stored, ...], release: Release, place: Place, by: By
) -> None:
    """Refuse what the history speaks against, now that nobody else writes it."""
    refuse_superseded(known, stored, release, place)
    refuse_bad(stored, release, place, by.despite)
    refuse_ended(by, place)


def _refuse_late(seen: Survey, planned: Plan, by: By, place: Place) -> None:
    """Refuse what the cluster speaks against, now that nobody else changes it."""
    refuse_other_plan(planned, by, place)
    refuse_conflicts(seen)
    refuse_lack(seen)


def _go_on(left: Stored, rollout: Rollout, by: By) -> Record:
    """Go on with what was left half-way; where people have refused it, on the way back."""
    if by.refused and left.record.state is RolloutState.STARTED and left.progress.failed is None:
        verdict = Verdict(Outcome.FAILED, by.refused)
        rollout.write(replace(left, progress=replace(left.progress, failed=verdict)))
    return drive(rollout)


def ensure_namespace(cluster: Objects, release: Release, place: Place) -> None:
    """Make the namespace, which has to be there before lock and record can be."""
    ref = Ref(NAMESPACE, "", place.namespace)
    if cluster.read(ref) is not None:
        return
    labels = {"app.kubernetes.io/managed-by": "slipway"}
    bare = {"metadata": {"name": ref.name, "labels": labels}}
    objects = parse_stream(release.manifests_for(place.name).yaml)
    named = [thing for thing in objects if ref_of(thing) == ref]
    cluster.apply(named[0] if named else {"apiVersion": "v1", "kind": "Namespace", **bare})
