"""The gates before an environment as slipway.yaml describes them: who lets in, and when."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from tasks.core.strict import STRICT
from tasks.core.units import Duration

__all__ = ["Approval", "Escalation", "Freeze", "Override", "People", "Person", "Window"]

BY_NAME = ConfigDict(extra="forbid", validate_by_name=True)
WEEKLY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d:\d\d"
DATED = r"\d{4}-\d\d-\d\d(?: \d\d:\d\d)?"
People = Annotated[tuple[str, ...], Field(min_length=1)]
"""Names; in the file `@name` stands for a group, which loading replaces by its people."""
Weekly = Annotated[str, Field(pattern=rf"^{WEEKLY}$")]


@dataclass(frozen=True, slots=True, config=STRICT)
class Escalation:
    """Who may approve too when nobody has answered for a while.

    Attributes:
        after: from the instant at which an approval could first be given.
        to: people and groups.
    """

    after: Duration
    to: People


@dataclass(frozen=True, slots=True, config=STRICT)
class Approval:
    """Who may let a release into an environment.

    Attributes:
        approvers: people, and groups as `@name`.
        not_author: the commit's author may not approve.
        not_committers: nor may anybody who wrote or committed a commit since the live release.
        comment: an answer needs a comment.
        expires: silence for so long is a refusal.
        remind: so often they are told again for as long as nobody answers.
        escalate: who may approve too after a while.
    """

    approvers: People
    count: Annotated[int, Field(ge=1, le=10)] = 1
    not_author: bool = True
    not_committers: bool = False
    comment: bool = False
    expires: Duration = timedelta(hours=24)
    remind: Duration | None = None
    escalate: Escalation | None = None


@dataclass(frozen=True, slots=True, config=BY_NAME)
class Window:
    """A weekly time in which alone a rollout may begin; `Mon 09:00` to `Fri 16:00`.

    Attributes:
        start, from: weekday and time.
        end, to: likewise.
        tz: whose clock.
    """

    start: Annotated[Weekly, Field(alias="from")]
    end: Annotated[Weekly, Field(alias="to")]
    tz: str = "UTC"


@dataclass(frozen=True, slots=True, config=BY_NAME)
class Freeze:
    """A time in which nothing is rolled out, every week or once; it goes before any window.

    Attributes:
        start, from: weekday and time, or a day, with a time where it does not begin at midnight.
        end, to: likewise; a day without a time is frozen as a whole.
        tz: whose clock.
        reason: people read it where the freeze says no.
    """

    start: Annotated[str, Field(alias="from", pattern=rf"^(?:{WEEKLY}|{DATED})$")]
    end: Annotated[str, Field(alias="to", pattern=rf"^(?:{WEEKLY}|{DATED})$")]
    tz: str = "UTC"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """Who opened a gate that the calendar had closed, and why.

    Attributes:
        at: when, aware UTC: what closes it later is closed. None in older records.
    """

    by: str
    reason: str
    at: datetime | None = None

    def __str__(self) -> str:
        """Say it as a history does."""
        return f"{self.by} overrode that it was closed: {self.reason}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as git names them."""

    name: str
    email: str
