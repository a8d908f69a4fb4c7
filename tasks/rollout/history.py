"""What an environment has lived through, from its own cluster."""

from tasks.core.cluster import Objects
from tasks.core.model import Record
from tasks.rollout import records
from tasks.rollout.model import Place, Stored

__all__ = ["begun_by", "history", "is_bad", "live", "stored_history"]


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


def begun_by(run: str, place: Place, cluster: Objects) -> Record | None:
    """Return the newest rollout that a run has begun, ended or not: its gates were passed."""
    return next((record for record in history(place, cluster) if record.run == run), None)
