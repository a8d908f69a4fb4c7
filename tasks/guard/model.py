"""What the guard sees when an alert comes, and what it answers."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tasks.core.alerts import Alert
from tasks.core.past import Past

__all__ = ["Answer", "Evidence", "Judgement", "Page", "Seen"]


class Answer(StrEnum):
    """What an alert leads to."""

    ROLL_BACK = "roll back"
    PAGE = "page"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What Prometheus knows beside the alert; None where it could not be asked.

    Attributes:
        burning_before: the alert fired, or was about to, when the live rollout began.
        fired_before: it fired while the release before the live one was live.
        dependencies: what other alerts say is down.
    """

    burning_before: bool | None = None
    fired_before: bool | None = None
    dependencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that a judgement depends on.

    Attributes:
        alerts: of one message, all about this environment.
    """

    now: datetime
    past: Past
    alerts: tuple[Alert, ...]
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Judgement:
    """An answer with its reason in one sentence and the evidence line by line.

    Attributes:
        release: id of the live release, which is blamed where the answer is a rollback.
        number: of its rollout.
    """

    answer: Answer
    reason: str
    evidence: tuple[str, ...] = ()
    release: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What a person is woken up for.

    Attributes:
        key: pages with the same one are one incident.
    """

    key: str
    summary: str
    source: str
    details: tuple[str, ...]
