"""What arrives at the receiver, as facts, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from tasks.core.alerts import Alert
from tasks.core.application import Application
from tasks.core.errors import Unavailable
from tasks.core.slack import Button

__all__ = [
    "Alerts",
    "DeploymentAsked",
    "Event",
    "Facts",
    "Ignore",
    "Kept",
    "Look",
    "NotYet",
    "Nothing",
    "Outcome",
    "Pressed",
    "PullRequest",
    "Push",
    "Refused",
    "ReleasePublished",
    "Repository",
    "Start",
    "State",
    "WorkflowEnded",
]


class Refused(Exception):
    """A request that changes nothing.

    Args:
        status: HTTP status of the answer, which says no more.
        reason: one word or two for the metrics.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class NotYet(Unavailable):
    """One answer has to wait; what came after it does not."""


@dataclass(frozen=True, slots=True)
class Push:
    """A branch or a tag that points somewhere else now.

    Attributes:
        commit: what it points at; None where it was deleted.
        message: of that commit.
        paths: files that the push touched; None where the payload does not name all of them.
        default_branch: of the repository.
        pushed_at: by GitHub's clock; None where it did not say.
    """

    ref: str
    commit: str | None
    message: str
    paths: tuple[str, ...] | None
    default_branch: str
    pushed_at: datetime | None = None
    kind: Literal["push"] = "push"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Somebody proposes, changes or closes a pull request.

    Attributes:
        action: opened, synchronize, closed and so on.
        commit: its head.
        base: branch that it is proposed to.
        fork: its code is a stranger's.
        draft: its author does not want it looked at yet.
    """

    action: str
    number: int
    commit: str
    base: str
    fork: bool
    draft: bool = False
    kind: Literal["pull_request"] = "pull_request"


@dataclass(frozen=True, slots=True)
class ReleasePublished:
    """A release of GitHub's; action is published, edited, deleted and so on."""

    action: str
    tag: str
    draft: bool
    prerelease: bool = False
    kind: Literal["release"] = "release"

    @property
    def is_out(self) -> bool:
        """Whether people get it from now on; GitHub says so twice."""
        return self.action in {"published", "released"}


@dataclass(frozen=True, slots=True)
class WorkflowEnded:
    """A workflow run of GitHub Actions.

    Attributes:
        branch: of the commit: for a pull request's workflow the branch that is proposed.
        fork: it ran on a stranger's code.
        default_branch: of the repository; a guess in events of older stores.
        file: GitHub's id of the workflow (several may have one name); 0 in older stores.
        number: its count of the workflow's runs, which a run that is done again keeps.
    """

    action: str
    workflow: str
    conclusion: str | None
    branch: str
    commit: str
    fork: bool
    default_branch: str = "main"
    file: int = 0
    number: int = 0
    kind: Literal["workflow_run"] = "workflow_run"


@dataclass(frozen=True, slots=True)
class DeploymentAsked:
    """Somebody asked GitHub's API for a deployment.

    Attributes:
        ours: we did, to tell of one under way.
        proposed: it is of a pull request's code, or of another event's payload.
    """

    action: str
    environment: str
    commit: str
    ours: bool = False
    proposed: bool = False
    kind: Literal["deployment"] = "deployment"


@dataclass(frozen=True, slots=True)
class Alerts:
    """Alerts of one environment of an application, from one message of Alertmanager."""

    application: str
    environment: str
    alerts: tuple[Alert, ...]
    kind: Literal["alerts"] = "alerts"


@dataclass(frozen=True, slots=True)
class Pressed:
    """Somebody in Slack has answered what a run asks.

    Attributes:
        user: Slack's id of the person.
        signed_at: the instant in Slack's signature, whole seconds, aware UTC.
        channel: where the buttons are, and message: which one has them.
    """

    asked: Button
    user: str
    signed_at: datetime
    channel: str
    message: str
    comment: str = ""
    kind: Literal["pressed"] = "pressed"


@dataclass(frozen=True, slots=True)
class Nothing:
    """An event that Slipway has no use for; why in a few words."""

    why: str
    kind: Literal["nothing"] = "nothing"


Facts = Annotated[
    Push
    | PullRequest
    | ReleasePublished
    | WorkflowEnded
    | DeploymentAsked
    | Alerts
    | Pressed
    | Nothing,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened elsewhere, as it is kept.

    Attributes:
        source: the door that it came through.
        name: the sender's word for it, such as push.
        delivery: the sender's id of this sending, which nothing authenticates.
        content: hash over what makes it the same event however often it is sent.
        subject: repository (`owner/name`), or application and environment of an alert
            or of an answer.
        ref: branch or tag, in full; empty where there is none.
    """

    source: Literal["github", "alertmanager", "slack"]
    name: str
    delivery: str
    content: str
    subject: str
    ref: str
    facts: Facts


class State(StrEnum):
    """What has become of an event."""

    STORED = "stored"
    DELIVERED = "delivered"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event, why, and the flow run that it started."""

    id: int
    state: State
    reason: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """An event in the store; ids grow in the order of arrival."""

    id: int
    received_at: datetime
    event: Event
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Look:
    """What GitHub had when somebody looked.

    Attributes:
        heads: commits of branches, by their refs in full.
        hooks: paths of those hooks from which something has come.
    """

    at: datetime
    heads: Mapping[str, str]
    hooks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that events may start flows for.

    Attributes:
        name: `owner/name`, as GitHub calls it.
        address: where it is cloned from; what a payload says of that counts for nothing.
        application: its slipway.yaml when it was registered.
    """

    name: str
    address: str
    application: Application


@dataclass(frozen=True, slots=True)
class Start:
    """A flow run to create; deployment as Prefect names it (`flow/name`)."""

    deployment: str
    run_name: str
    parameters: dict[str, object]


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing is started, and why."""

    reason: str
