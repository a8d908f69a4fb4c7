"""What is asked of an approver, what they answer, and what became of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tasks.core.calendar import Calendar, Closed
from tasks.core.gates import Approval, Override, Person

__all__ = [
    "Answer",
    "Approved",
    "Approver",
    "Attempt",
    "Choice",
    "Click",
    "Decision",
    "Judged",
    "Means",
    "Request",
    "Ruling",
    "Taken",
    "Use",
    "question_of",
]


class Choice(StrEnum):
    """What an approver says."""

    APPROVE = "approve"
    REJECT = "reject"


class Ruling(StrEnum):
    """What an answer counts as; REFUSED means that it does not count and the request stays open."""

    APPROVED = "approved"
    REJECTED = "rejected"
    REFUSED = "refused"


class Means(StrEnum):
    """What an answer is to be believed by."""

    TOTP = "totp"
    SLACK = "slack"


def question_of(environment: str, plan: str) -> str:
    """Return the name of the question whether a plan may come into an environment."""
    return f"{environment}-{plan}"


@dataclass(frozen=True, slots=True)
class Request:
    """Exactly what an approval is for.

    Attributes:
        release: id of the release.
        plan: id of the plan, which binds environment, live state and changes.
        opened_at: when somebody was first asked, aware UTC.
        calendar: when an approval can take effect.
        overriders: who may open what the calendar closes, with a reason.
        override: who has done so for this request.
        committers: who wrote or committed what would come in, where the rules bar them.
        unknown: why that is not known of the whole range; empty where it is.
        covers_rollback: for so long after the rollout a yes is one to take it back, too; None
            where that is another question.
        changed: keys of slipway.yaml by which others may be asked once the release is in.
    """

    application: str
    environment: str
    release: str
    plan: str
    author: str
    author_email: str
    opened_at: datetime
    rules: Approval
    calendar: Calendar = field(default_factory=Calendar)
    overriders: tuple[str, ...] = ()
    override: Override | None = None
    committers: tuple[Person, ...] = ()
    unknown: str = ""
    covers_rollback: timedelta | None = None
    changed: tuple[str, ...] = ()

    @property
    def counts_from(self) -> datetime:
        """From when on a yes of an approver could count: the rules' times begin here."""
        closed = self.calendar.closed(self.opened_at)
        return (closed and closed.opens) or self.opened_at

    @property
    def expires_at(self) -> datetime:
        """From when on silence is a refusal."""
        return self.counts_from + self.rules.expires

    @property
    def escalates_at(self) -> datetime | None:
        """From when on those count too whom the rules escalate to."""
        escalate = self.rules.escalate
        return self.counts_from + escalate.after if escalate else None

    def approvers_at(self, at: datetime) -> tuple[str, ...]:
        """Return whose yes counts at an instant."""
        rules, since = self.rules, self.escalates_at
        if rules.escalate is None or since is None or at < since:
            return rules.approvers
        return tuple(dict.fromkeys((*rules.approvers, *rules.escalate.to)))

    def closed_at(self, at: datetime) -> Closed | None:
        """Say why no yes takes effect at an instant, None where one does or it was overridden."""
        return self.calendar.closed(at, self.override.at if self.override else None)

    @property
    def question(self) -> str:
        """Name of what is asked, the same however often: an answer has to say it."""
        return question_of(self.environment, self.plan)

    @property
    def lasts(self) -> timedelta:
        """For how long people are asked."""
        return self.expires_at - self.opened_at

    @property
    def place(self) -> str:
        """Where an error says that it happened."""
        return f"{self.environment}/{self.application}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody filled in, or said in Slack.

    Attributes:
        code: a one-time code (RFC 6238), or what the receiver vouches with for a click in Slack.
        answered_at: when the server stored the answer, aware UTC; the code must fit this instant.
        question: what it answers (see `Request.question`).
        origin: where it comes from, as whoever sent it says; empty for the form in Prefect's UI.
    """

    approver: str
    code: str = field(repr=False)
    choice: Choice
    comment: str
    answered_at: datetime
    question: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an answer counts as, with the reason in one sentence.

    Attributes:
        override: what it opens that the calendar has closed.
        counts: whether a yes is one of the approvals that are needed.
        means: by what the person has proved who they are; None where they have not.
    """

    ruling: Ruling
    approver: str
    reason: str
    override: Override | None = None
    counts: bool = True
    means: Means | None = None


@dataclass(frozen=True, slots=True)
class Approved:
    """Who has let a release in, in the order of their answers, and who opened a closed gate.

    Attributes:
        means: what the last of them was believed by.
    """

    by: tuple[str, ...] = ()
    override: Override | None = None
    means: Means | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """An answer, told apart from every other one: its instant and what it was for."""

    at: datetime
    of: str


@dataclass(frozen=True, slots=True)
class Use:
    """A one-time code that was taken; counter is its number (RFC 6238: 30 s since the epoch)."""

    counter: int
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Click:
    """A button that somebody pressed in Slack.

    Attributes:
        user: Slack's id of the person.
        signed_at: the instant in Slack's signature, whole seconds, aware UTC.
    """

    user: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """An answer from Slack that was taken; code is what the receiver vouched with."""

    code: str = field(repr=False)
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Approver:
    """A person whom an approval can be traced to.

    Attributes:
        emails: under which they commit, so that nobody approves their own work.
        secret: base32, 160 bits; what the authenticator holds too.
        used: codes that count no more, newest last.
        failures: wrong codes, newest last.
        slack: their user id in Slack; empty where they have none.
        clicks: answers from Slack that count no more, newest last.
    """

    name: str
    emails: tuple[str, ...]
    secret: str = field(repr=False)
    used: tuple[Use, ...] = ()
    failures: tuple[Attempt, ...] = ()
    slack: str = ""
    clicks: tuple[Taken, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision, and the approver as they are to be remembered after it."""

    decision: Decision
    approver: Approver | None
