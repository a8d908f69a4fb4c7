"""What people outside are told: how a stage or an environment is, for one commit."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "RELEASE",
    "Commit",
    "End",
    "EnvironmentNews",
    "News",
    "QuestionNews",
    "RunNews",
    "StageNews",
    "State",
    "Told",
]

RELEASE = "release"
"""The stage that binds images and manifests together, after all the others."""


class State(StrEnum):
    """How something is. The first three are not the end of it."""

    PENDING = "pending"
    IN_PROGRESS = "in progress"
    WAITING = "waiting"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    INACTIVE = "inactive"

    @property
    def is_open(self) -> bool:
        """Whether people wait for its end."""
        return self in (State.PENDING, State.IN_PROGRESS, State.WAITING)


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that news are about, and the run that they come from.

    Attributes:
        repository: where it was cloned from, without credentials.
        name: full object name.
        subject: first line of its message.
        run: id of the Prefect flow run.
        link: page of that run in Prefect's UI; empty where it has none.
        rooms: channel and approvers' channel in Slack, empty where slipway.yaml names none; None
            where this run does not know, and what was known before counts.
    """

    application: str
    repository: str
    name: str
    subject: str
    author: str
    run: str
    link: str = ""
    rooms: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class StageNews:
    """How a stage is for all components together.

    Attributes:
        sentence: what was found, plain text on one line.
        page: findings as markdown; everything in it that others wrote is escaped.
    """

    commit: Commit
    stage: str
    state: State
    sentence: str = ""
    page: str = ""

    @property
    def subject(self) -> str:
        """What it is about, in a word."""
        return self.stage


@dataclass(frozen=True, slots=True)
class EnvironmentNews:
    """How a release does in an environment.

    Attributes:
        release: its id.
        sentence: what happened, plain text on one line.
        url: the environment's public address, None where it has none.
        page: the plan as markdown; everything in it that others wrote is escaped.
    """

    commit: Commit
    environment: str
    release: str
    state: State
    sentence: str = ""
    url: str | None = None
    page: str = ""

    @property
    def subject(self) -> str:
        """What it is about, in a word."""
        return self.environment


@dataclass(frozen=True, slots=True)
class QuestionNews:
    """What approvers are asked, or how they have answered.

    Attributes:
        plan: id of what an answer is bound to.
        state: WAITING as long as there is something to answer.
        sentence: what became of the last answer, or how it ended; plain text.
        page: what approvers read as markdown; everything in it that others wrote is escaped.
        comment: whether an answer needs words.
        again: people are only called once more.
    """

    commit: Commit
    environment: str
    release: str
    plan: str
    state: State
    sentence: str = ""
    page: str = ""
    comment: bool = False
    again: bool = False

    @property
    def subject(self) -> str:
        """What it is about, in a few words."""
        return f"approval of {self.environment}"


@dataclass(frozen=True, slots=True)
class RunNews:
    """That nothing more comes of a run, which left things open when it ended.

    Attributes:
        environment: where it wanted to last.
        sentence: why, plain text.
        page: there is nothing more to it.
    """

    commit: Commit
    environment: str
    sentence: str
    state: State = State.INACTIVE
    page: str = ""

    @property
    def subject(self) -> str:
        """What it is about, in a few words."""
        return f"run for {self.environment}"


News = StageNews | EnvironmentNews | QuestionNews | RunNews


@dataclass(frozen=True, slots=True)
class End:
    """How a stage ended for one component; lines are its findings."""

    component: str
    state: State
    sentence: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What became of news.

    Attributes:
        missed: why they were not sent, empty where they were.
        away: whether the channel did not answer for as long as it was tried.
    """

    missed: str = ""
    away: bool = False
