"""Which earlier rollout a rollback goes to."""

from collections.abc import Collection, Iterable

from tasks.core.errors import Conflict, GateClosed
from tasks.core.record import Record, RolloutState
from tasks.rollout.model import Place

__all__ = ["choose_goal", "require_live"]


def choose_goal(
    records: Iterable[Record],
    live: Record | None,
    bad: Collection[str],
    to: int | str | None,
    place: Place,
) -> Record:
    """Return the rollout that a rollback goes back to.

    Args:
        records: all that is known of the environment.
        live: the rollout that is live, None before the first.
        bad: ids of releases that were taken back.
        to: number of a rollout or id of a release; the newest good one before the live one where
            None.
        place: the environment.

    Raises:
        GateClosed: there is none, or it is bad.
    """
    good = [each for each in records if each.state is RolloutState.SUCCEEDED]
    if live is not None and to in _names(live):
        raise GateClosed(
            f"{_named(to)} is live already",
            where=str(place),
            next_step=f"choose an earlier one of `slipway history {place.name}`",
        )
    if to is not None:
        good = [each for each in good if to in _names(each)]
    elif live is not None:
        good = [each for each in good if each.release.id != live.release.id]
    usable = [each for each in good if each.release.id not in bad]
    if usable:
        return max(usable, key=lambda each: each.number)
    what = _named(to) if to is not None else "an earlier good rollout"
    why = "its release was taken back itself" if good else "no such rollout has succeeded"
    raise GateClosed(
        f"cannot go back to {what}: {why}",
        where=str(place),
        next_step=f"choose one of `slipway history {place.name}`",
    )


def require_live(found: Record | None, blamed: str | None, place: Place) -> None:
    """See that what is taken back is what somebody said something against.

    Args:
        found: the rollout that would be taken back now.
        blamed: id of the release that is not wanted.
        place: the environment.

    Raises:
        Conflict: it is another one by now.
    """
    if found is None or found.release.id != blamed:
        raise Conflict(
            f"{blamed} is not live any more",
            where=str(place),
            next_step=f"look at `slipway history {place.name}`",
        )


def _names(record: Record) -> tuple[int, str]:
    """Return by what a person may call a rollout."""
    return record.number, record.release.id


def _named(to: int | str | None) -> str:
    return f"rollout {to}" if isinstance(to, int) else f"release {to}"
