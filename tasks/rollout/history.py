"""What an environment has lived through, from its own cluster."""

from collections.abc import Iterable
from dataclasses import replace

from tasks.core.admission import Admission, admission
from tasks.core.application import Environment
from tasks.core.cluster import Objects
from tasks.core.past import Past
from tasks.core.record import Moment, Record
from tasks.rollout import marks, records
from tasks.rollout.model import Place, Progress, Stored

__all__ = [
    "admission_of",
    "before",
    "begun_by",
    "history",
    "is_bad",
    "live",
    "note",
    "past",
    "stored_history",
]


def history(place: Place, cluster: Objects) -> tuple[Record, ...]:
    """Return the records of an environment, newest first."""
    return tuple(each.record for each in stored_history(place, cluster))


def stored_history(place: Place, cluster: Objects) -> tuple[Stored, ...]:
    """Return the records as they are kept, with the marks of bad releases, newest first."""
    return tuple(reversed(records.fetch(cluster, place.namespace)))


def live(place: Place, cluster: Objects) -> Record | None:
    """Return the record of what is live: the newest rollout that succeeded."""
    found = records.newest_good(records.fetch(cluster, place.namespace))
    return found.record if found else None


def is_bad(release: str, place: Place, cluster: Objects) -> bool:
    """Say whether a release was taken back here, and so is not deployed again unasked."""
    return release in records.bad_releases(records.fetch(cluster, place.namespace))


def before(number: int, place: Place, cluster: Objects) -> Record | None:
    """Return the rollout before one, None where it was the first that is kept."""
    found = (each for each in history(place, cluster) if each.number < number)
    return next(found, None)


def begun_by(run: str, place: Place, cluster: Objects) -> Record | None:
    """Return the newest rollout that a run has begun, ended or not: its gates were passed."""
    return next((record for record in history(place, cluster) if record.run == run), None)


def past(place: Place, cluster: Objects) -> Past:
    """Return what an environment has lived through, for those who decide about its live release."""
    stored = stored_history(place, cluster)
    live, goal = records.newest_good(stored), records.newest_usable(stored)
    environment = (live and live.environment) or Environment("", place.namespace)
    number = live.record.number if live else None
    progress = stored[0].progress if stored else Progress()
    return Past(
        records=tuple(_short(each.record, number) for each in stored),
        live=number,
        goal=goal.record.number if goal else None,
        bad=tuple(sorted(records.bad_releases(stored))),
        rules=environment.rollback,
        approval=environment.approval,
        slos=live.rules.slos if live else place.rules.slos,
        promoting=progress.has(marks.BAKED),
        held=progress.held,
    )


def admission_of(place: Place, stored: Iterable[Stored]) -> Admission:
    """Return the gates for a release that comes in where a history has led to."""
    live = records.newest_good(stored)
    return admission(place.environment, live.environment if live else None)


def note(place: Place, number: int | None, moment: Moment, cluster: Objects) -> None:
    """Add a moment to a rollout's record, once however often it is said.

    Raises:
        Conflict: a rollout has written the record meanwhile.
    """
    for each in stored_history(place, cluster):
        said = {known.what for known in each.record.moments}
        if each.record.number == number and moment.what not in said:
            record = replace(each.record, moments=(*each.record.moments, moment))
            records.update(cluster, replace(each, record=record))


def _short(record: Record, live: int | None) -> Record:
    """Leave out what is large; of the live one the counts stay."""
    release = replace(record.release, manifests=())
    samples = record.samples if record.number == live else ()
    return replace(record, release=release, plan=None, samples=samples)
