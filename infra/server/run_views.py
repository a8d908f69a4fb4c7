"""Runs as people see them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

__all__ = ["LogLine", "RunView", "StageView"]

BY_TIME = 7
"""Version of UUIDs that begin with the instant at which they were made (RFC 9562)."""


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage of a run as people see it."""

    name: str
    state: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as people see it.

    Attributes:
        state: Prefect's type of state, in capitals.
        word: Prefect's name of the state, which says more: Late, Superseded, Recovering.
        message: why it is in this state, without Prefect's own words about exceptions.
        error: class of the exception that ended it, as Prefect names it.
    """

    id: UUID
    name: str
    state: str
    message: str
    url: str
    stages: tuple[StageView, ...] = ()
    word: str = ""
    seconds: float = 0.0
    error: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more will come without somebody's doing."""
        return self.state in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED", "PAUSED"}

    @property
    def queued(self) -> bool:
        """Whether no worker has begun with it, or begun again after an approval."""
        return self.state in {"SCHEDULED", "PENDING"}

    @property
    def short_id(self) -> str:
        """Enough of the id to name the run on a command line."""
        return str(self.id)[: 18 if self.id.version == BY_TIME else 8]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a run's log.

    Attributes:
        level: as Python counts it; 30 is a warning.
        stage: id of the stage that said it, None where the run itself did.
    """

    id: UUID
    at: datetime
    level: int
    text: str
    stage: UUID | None = None
