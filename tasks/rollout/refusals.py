"""Why a rollout does not begin: nothing was changed by then."""

from datetime import datetime

from tasks.core.errors import Conflict, GateClosed
from tasks.core.model import Release
from tasks.core.objects import ref_of
from tasks.core.record import Plan, RolloutState
from tasks.rollout import records
from tasks.rollout.changing import was_scaled
from tasks.rollout.history import admission_of
from tasks.rollout.model import By, Place, Stored
from tasks.rollout.plan import Survey, lacks

__all__ = [
    "refuse_bad",
    "refuse_closed",
    "refuse_conflicts",
    "refuse_ended",
    "refuse_lack",
    "refuse_other_plan",
    "refuse_superseded",
    "refuse_tried",
    "refuse_unasked",
]

HERE = (RolloutState.STARTED, RolloutState.SUCCEEDED)
"""States of a release that has not come to nothing."""


def refuse_bad(
    stored: tuple[Stored, ...], release: Release, place: Place, despite: str | None
) -> None:
    """Refuse what was taken back here, until somebody says why it may be tried again."""
    if despite is None and release.id in records.bad_releases(stored):
        raise GateClosed(
            f"{release.id} was taken back here before",
            where=str(place),
            next_step="deliver another commit, or say why this one may be tried again: once with "
            "--despite TEXT of deliver or promote, from now on with "
            f"slipway release clear {release.id} {place.name} --reason TEXT",
        )


def refuse_closed(stored: tuple[Stored, ...], by: By, place: Place, now: datetime) -> None:
    """Refuse to begin in a freeze or outside the windows, however long ago the yes was given."""
    opened = by.override.at if by.override else None
    admission_of(place, stored).calendar.require_open(now, str(place), opened)


def refuse_unasked(stored: tuple[Stored, ...], by: By, place: Place) -> None:
    """Refuse to begin where people guard what is live and nobody has asked them.

    A run that began while nobody had to be asked may find a release live that says otherwise.
    """
    live = records.newest_good(stored)
    guarded = live is not None and live.environment is not None and live.environment.approval
    if guarded and by.plan is None:
        raise GateClosed(
            "people have to be asked about what would change here now, and have not been",
            where=str(place),
            next_step="deliver the commit again",
        )


def refuse_ended(by: By, place: Place) -> None:
    """Refuse to begin anew where people were asked about a rollout that is over."""
    if by.gates or by.refused:
        raise GateClosed(
            "the rollout that waited at a gate was ended meanwhile",
            where=str(place),
            next_step=f"look at `slipway history {place.name}`, or deliver the commit again",
        )


def refuse_other_plan(planned: Plan, by: By, place: Place) -> None:
    """Refuse to do something else than people have said yes to."""
    if by.plan is not None and by.plan != planned.id:
        raise GateClosed(
            f"the approval is for plan {by.plan}; the environment has changed and it is "
            f"{planned.id} now",
            where=str(place),
            next_step=f"look at `slipway plan {place.name}` and ask for another approval",
        )


def refuse_superseded(
    known: tuple[Stored, ...], stored: tuple[Stored, ...], release: Release, place: Place
) -> None:
    """Refuse a release that waited, where one of a newer commit was faster and has not failed.

    One that was there before is no reason: somebody wants the older one now.

    Args:
        known: the history as it was before the wait.
        stored: the history now.
        release: what waited.
        place: where.
    """
    before = {each.record.number for each in known}
    for record in (each.record for each in stored if each.record.number not in before):
        is_newer = record.release.created_at > release.created_at
        if is_newer and record.restores is None and record.state in HERE:
            raise GateClosed(
                f"rollout {record.number} ({record.release.id}) came meanwhile, of a newer "
                f"commit: {release.id} is superseded",
                where=str(place),
                next_step="deliver this commit again where it is wanted all the same",
            )


def refuse_tried(
    known: tuple[Stored, ...], stored: tuple[Stored, ...], by: By, place: Place
) -> None:
    """Refuse a rollback of whatever is live where another one has come to an end meanwhile.

    Two alerts a second apart ask for one rollback. Where that fails, nothing has been looked at
    that speaks for a second one.

    Args:
        known: the history as it was when this rollback was asked for.
        stored: the history now.
        by: who asks.
        place: where.
    """
    over = {each.record.number for each in known if each.record.state is not RolloutState.STARTED}
    for each in stored:
        record = each.record
        if record.restores is None or record.number in over or record.run == by.run:
            continue
        raise Conflict(
            f"rollout {record.number}, a rollback too, has ended meanwhile, "
            f"{record.state.value}: {record.reason}",
            where=str(place),
            next_step=f"look at `slipway history {place.name}`, and ask again where it is wanted",
        )


def refuse_lack(seen: Survey) -> None:
    """Refuse a canary that would get stuck half-way; a rolling update only warns."""
    lacking = lacks(seen)
    if lacking and seen.outlook.ladder is not None:
        raise GateClosed(
            f"no room for a canary beside the live pods: {'; '.join(lacking)}",
            where=str(seen.place),
            next_step="raise the quota, or choose the strategy rolling",
        )


def refuse_conflicts(seen: Survey) -> None:
    """Refuse to fight with others over fields, except for replicas that an autoscaler left.

    An environment may say that what others have changed is taken over.
    """
    for look in seen.looks:
        for conflict in look.conflicts if seen.place.environment.on_drift == "refuse" else ():
            if conflict.field == ".spec.replicas" and was_scaled(look.live):
                continue
            raise Conflict(
                f"{conflict.field} is held by {conflict.manager}",
                where=f"{seen.place}: {ref_of(look.wanted)}",
                next_step="take that change back, or put it into the manifests",
            )
