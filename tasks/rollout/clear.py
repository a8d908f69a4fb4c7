"""Letting a release that was taken back be deployed again, by somebody's word."""

from dataclasses import dataclass, replace

from tasks.core.clock import Clock
from tasks.core.cluster import Objects
from tasks.core.errors import ConfigError
from tasks.core.record import Moment, Record
from tasks.rollout import records
from tasks.rollout.model import Place, Stored

__all__ = ["Clearance", "clear"]


@dataclass(frozen=True, slots=True)
class Clearance:
    """Who says why that a release may be deployed again."""

    release: str
    actor: str
    reason: str

    def __str__(self) -> str:
        """Say it as the record keeps it."""
        by = f" by {self.actor}" if self.actor else ""
        return f"cleared{by}: {self.reason}"


def clear(clearance: Clearance, place: Place, cluster: Objects, clock: Clock) -> tuple[Record, ...]:
    """Take the mark off a release's records; they keep who did it, when and why.

    Raises:
        ConfigError: the release is not known here, or is not marked bad; nothing was changed.
        Conflict: a rollout has written one of the records meanwhile; call again.
    """
    stored = records.fetch(cluster, place.namespace)
    _require_bad(clearance, stored, place)
    said = Moment(clock.now(), str(clearance))
    marked = (each for each in stored if each.bad and each.record.release.id == clearance.release)
    return tuple(records.update(cluster, _without_mark(each, said)).record for each in marked)


def _require_bad(clearance: Clearance, stored: tuple[Stored, ...], place: Place) -> None:
    if clearance.release in records.bad_releases(stored):
        return
    known = any(each.record.release.id == clearance.release for each in stored)
    raise ConfigError(
        f"{clearance.release} is not marked bad" if known else f"no release {clearance.release!r}",
        where=str(place),
        next_step=f"choose one of `slipway history {place.name}`",
    )


def _without_mark(each: Stored, said: Moment) -> Stored:
    record = replace(each.record, moments=(*each.record.moments, said))
    return replace(each, record=record, bad=False, cleared=True)
