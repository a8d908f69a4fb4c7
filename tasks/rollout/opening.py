"""Beginning a rollout: its record, in a history where nothing else is left open."""

from dataclasses import replace

from tasks.core.cluster import Objects
from tasks.core.errors import ConfigError
from tasks.core.model import Release
from tasks.core.record import Record, RolloutState
from tasks.rollout import records
from tasks.rollout.drive import end_abandoned
from tasks.rollout.lock import Aside
from tasks.rollout.model import By, Place, Ports, Stored
from tasks.rollout.running import Rollout

__all__ = ["clear_way", "draft", "ended_by", "fetch_own", "is_of", "open_record", "wish"]


def fetch_own(place: Place, cluster: Objects) -> tuple[Stored, ...]:
    """Return the history of an environment, oldest first.

    Raises:
        ConfigError: another application or environment uses the namespace.
    """
    stored = records.fetch(cluster, place.namespace)
    for each in stored:
        whose = (each.record.release.application, each.record.environment)
        if whose != (place.application, place.name):
            raise ConfigError(
                f"the namespace belongs to {whose[1]} of {whose[0]} already",
                where=f"{place}: namespace {place.namespace}",
                next_step="give every environment of every application its own namespace",
            )
    return stored


def ended_by(stored: tuple[Stored, ...], by: By) -> Record | None:
    """Return the rollout that this run has begun and that is over, whoever ended it.

    Whatever came here since stays: a run that is called again only reports.
    """
    own = [each.record for each in stored if each.record.run == by.run]
    return own[-1] if own and own[-1].state is not RolloutState.STARTED else None


def is_of(newest: Stored, by: By) -> bool:
    """Say whether a rollout is this run's, or was left half-way by another one."""
    return newest.record.state is RolloutState.STARTED or newest.record.run == by.run


def wish(release: Release, place: Place, by: By) -> Aside | None:
    """Return what a rollout that is under way is asked for; where the file says so, to give way."""
    if place.environment.when_busy == "queue":
        return None
    committed_at = release.created_at.isoformat()
    return Aside(by.run, f"{release.id} took its place", committed_at=committed_at)


def open_record(draft: Stored, rollout: Rollout) -> Stored:
    """Store the record of a new rollout."""
    cluster = rollout.ports.cluster
    stored = records.fetch(cluster, rollout.place.namespace)
    number = max((each.record.number for each in stored), default=0) + 1
    record = replace(draft.record, number=number)
    return records.add(cluster, replace(draft, record=record, fence=rollout.lock.number))


def clear_way(successor: str, rollout: Rollout) -> None:
    """End the rollouts that were left open."""
    for each in records.fetch(rollout.ports.cluster, rollout.place.namespace):
        if each.record.state is RolloutState.STARTED:
            end_abandoned(each, successor, rollout)


def draft(release: Release, place: Place, by: By, ports: Ports) -> Stored:
    """Return the record that a rollout begins with; it gets its number when it is stored."""
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
            trail=by.trail,
            override=by.override,
        ),
        environment=place.environment,
        rules=place.rules,
    )
