"""Which release a promotion brings: from another environment's history."""

from collections.abc import Iterable

from tasks.core.application import Application
from tasks.core.errors import ConfigError, GateClosed
from tasks.core.record import Record, RolloutState
from tasks.rollout import records
from tasks.rollout.model import Place, Stored

__all__ = ["choosable", "choose_release", "origin_of"]

OFFERED = 20
"""So many rollouts of an environment are offered."""


def origin_of(application: Application, environment: str, origin: str | None) -> str:
    """Return the environment that a release comes from.

    Args:
        application: whose environments stand in the order of promotion.
        environment: that gets the release.
        origin: named by a person or by the rollout that they have chosen.

    Raises:
        ConfigError: one of them does not exist, they are the same, or there is none before.
    """
    names = tuple(application.environments)
    for name in (environment, origin):
        if name is not None and name not in names:
            raise ConfigError(
                f"no environment {name!r}",
                where=f"{application.application}: environments",
                next_step=f"choose one of {', '.join(names)}",
            )
    if origin == environment:
        raise ConfigError(
            "cannot be promoted to itself",
            where=f"{environment}/{application.application}",
            next_step=f"slipway rollback {environment} brings an earlier release back",
        )
    if origin is None and environment == names[0]:
        raise ConfigError(
            "is the first environment, none comes before it",
            where=f"{environment}/{application.application}",
            next_step="name where the release is (--from), or deliver a commit",
        )
    return origin or names[names.index(environment) - 1]


def choose_release(
    stored: tuple[Stored, ...], goal: int | str | None, place: Place, environment: str
) -> Record:
    """Return the rollout whose release is promoted: it has succeeded here and was not taken back.

    Args:
        stored: the history of the environment that it comes from.
        goal: number of a rollout, or id of a release; what is live where None.
        place: that environment.
        environment: that gets the release.

    Raises:
        GateClosed: there is no such rollout, or its release is bad.
        ConfigError: it was made before there was such an environment.
    """
    live = records.newest_good(stored)
    found = (
        live
        if goal is None
        else records.newest_good(
            each for each in stored if goal in (each.record.number, each.record.release.id)
        )
    )
    history = f"choose one of `slipway history {place.name}`"
    if found is None:
        what = "nothing is live yet" if goal is None else f"no rollout of {goal} has succeeded"
        raise GateClosed(what, where=str(place), next_step=history)
    record = found.record
    if record.release.id in records.bad_releases(stored):
        raise GateClosed(
            f"{record.release.id} was taken back here", where=str(place), next_step=history
        )
    if environment not in {each.environment for each in record.release.manifests}:
        raise ConfigError(
            f"{record.release.id} has no manifests for {environment}: its commit did not know it",
            where=str(place),
            next_step="deliver a newer commit",
        )
    return record


def choosable(stored: Iterable[Stored]) -> tuple[Record, ...]:
    """Return the rollouts that a form offers, the newest first, one for each good release."""
    known = sorted(stored, key=lambda each: each.record.number, reverse=True)
    bad = records.bad_releases(known)
    newest: dict[str, Record] = {}
    for record in (each.record for each in known):
        if record.state is RolloutState.SUCCEEDED and record.release.id not in bad:
            newest.setdefault(record.release.id, record)
    return tuple(newest.values())[:OFFERED]
