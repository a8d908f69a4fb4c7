"""What the guard sees when an alert comes, and what it answers."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tasks.core.alerts import Alert
from tasks.core.past import Past
from tasks.core.record import Record

__all__ = ["Answer", "Case", "Evidence", "Judgement", "Page", "Seen"]


class Answer(StrEnum):
    """What an alert leads to."""

    ROLL_BACK = "roll back"
    PAGE = "page"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What Prometheus knows beside an alert; None where it could not be asked or does not know.

    Attributes:
        burning_before: the alert fired, or was about to, when the rollout began.
        fired_before: it fired while the release before was live.
        bad_since: share of the objective's bad events since the rollout began, 0 to 1.
        bad_before: the same over as long a time before it.
        dependencies: what other alerts say is down.
        over: the alert fired within the last hour and does not any more.
    """

    burning_before: bool | None = None
    fired_before: bool | None = None
    bad_since: float | None = None
    bad_before: float | None = None
    dependencies: tuple[str, ...] = ()
    over: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """An alert that may take a release back, with what is known beside it."""

    alert: Alert
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that a judgement depends on.

    Attributes:
        cases: of one message, all about this environment; the newest alert first.
        under_way: the rollout that has not ended, with what it has counted so far.
    """

    now: datetime
    past: Past
    cases: tuple[Case, ...]
    under_way: Record | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """An answer with its reason in one sentence and the evidence line by line.

    Attributes:
        release: id of the release that the alert is about, blamed where the answer is a rollback.
        number: of its rollout.
        certain: more than a moment speaks for the answer; otherwise the pods are watched first.
    """

    answer: Answer
    reason: str
    evidence: tuple[str, ...] = ()
    release: str = ""
    number: int | None = None
    certain: bool = True


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
