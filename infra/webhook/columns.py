"""Events and repositories as rows of the store."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from infra.webhook.model import Event, Facts, Kept, Outcome, Repository, State
from tasks.core.application import Application

__all__ = ["COLUMNS", "described_in", "kept_of", "repository_of", "row_of"]

COLUMNS = (
    "id, received_at, source, name, delivery, content, subject, ref, facts, state, reason, run"
)
"""Of an event."""

FACTS: TypeAdapter[Facts] = TypeAdapter(Facts)
APPLICATION = TypeAdapter(Application)


def described_in(repository: Repository) -> str:
    """Write what slipway.yaml says."""
    return APPLICATION.dump_json(repository.application, by_alias=True).decode()


def repository_of(row: Sequence[str]) -> Repository:
    """Read a repository: its name, its address and what is described there."""
    name, address, described = row
    return Repository(name, address, APPLICATION.validate_json(described))


def row_of(event: Event, at: datetime) -> tuple[str, ...]:
    """Write an event that came at an instant, without what became of it."""
    facts = FACTS.dump_json(event.facts).decode()
    names = (event.source, event.name, event.delivery, event.content, event.subject, event.ref)
    return (at.astimezone(UTC).isoformat(), *names, facts)


def kept_of(row: Sequence[Any]) -> Kept:
    """Read an event, from all columns."""
    number, received_at, source, name, delivery, content, subject, ref, facts, *became = row
    event = Event(source, name, delivery, content, subject, ref, FACTS.validate_json(facts))
    state, reason, run = became
    outcome = Outcome(number, State(state), reason, run)
    return Kept(number, datetime.fromisoformat(received_at), event, outcome)
