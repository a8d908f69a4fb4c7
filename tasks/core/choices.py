"""How a form names a rollout, and what is meant when somebody has chosen one."""

import re
from dataclasses import dataclass

from tasks.core.errors import ConfigError
from tasks.core.past import named
from tasks.core.record import Record

__all__ = ["Choice", "choice_of", "chosen", "chosen_in"]

LONGEST_SUBJECT = 60
_CHOICE = re.compile(r"(?P<environment>[a-z0-9-]+) (?P<number>[0-9]+): .*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Choice:
    """A rollout's number or a release's id, and the environment where the form's line says so."""

    goal: int | str | None
    environment: str | None = None


def choice_of(record: Record) -> str:
    """Return a rollout as a line of a form, such as `prod 12: r-0a1b…, 2026-01-31 14:02, Fix it`.

    The subject is somebody's text: of it stays what shows on one line.
    """
    at = record.finished_at or record.started_at
    said = "".join(one for one in record.release.subject if one.isprintable())
    short = said if len(said) <= LONGEST_SUBJECT else f"{said[: LONGEST_SUBJECT - 1]}…"
    where = f"{record.environment} {record.number}"
    return f"{where}: {record.release.id}, {at:%Y-%m-%d %H:%M} UTC, {short}"


def chosen(word: int | str | None) -> Choice:
    """Return what a line of a form, a number or an id means; an empty one means nothing."""
    line = _CHOICE.fullmatch(word) if isinstance(word, str) else None
    if line is None:
        return Choice(named(word))
    return Choice(int(line["number"]), line["environment"])


def chosen_in(word: int | str | None, environment: str) -> int | str | None:
    """Return what somebody has chosen out of one environment's history.

    Raises:
        ConfigError: the line is of another environment's, where the number means something else.
    """
    choice = chosen(word)
    if choice.environment not in (None, environment):
        raise ConfigError(
            f"rollout {choice.goal} was chosen from {choice.environment}",
            where=environment,
            next_step=f"choose a line that begins with `{environment} `",
        )
    return choice.goal
