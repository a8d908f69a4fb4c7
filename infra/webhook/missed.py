"""What GitHub has sent in vain, and what of it is asked for again: decisions alone."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.webhook.decide import decide
from infra.webhook.github import KNOWN
from infra.webhook.model import (
    DeploymentAsked,
    Event,
    Facts,
    Ignore,
    Kept,
    Look,
    ReleasePublished,
    Repository,
    State,
    WorkflowEnded,
)

__all__ = [
    "GITHUB_KEEPS",
    "LOOK_BACK",
    "Judged",
    "Missed",
    "Sending",
    "is_ours",
    "judge",
    "missing",
    "since",
]

LOOK_BACK = timedelta(hours=1)
"""Three times asking takes fifteen minutes; what is older than this is not asked for again."""
GITHUB_KEEPS = timedelta(days=3)
"""How long GitHub can send a delivery again; docs.github.com, Redelivering webhooks."""
MOST_TIMES = 3


@dataclass(frozen=True, slots=True)
class Sending:
    """One try of GitHub's to deliver an event.

    Attributes:
        guid: of the event, the same at every try; header X-GitHub-Delivery.
        name: header X-GitHub-Event.
        arrived: somebody answered 2xx.
        again: somebody had asked for this try.
    """

    id: int
    guid: str
    name: str
    at: datetime
    arrived: bool
    again: bool


@dataclass(frozen=True, slots=True)
class Missed:
    """What never came, and the path below which GitHub's API has the hook."""

    hook: str
    sending: Sending
    event: Event


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether GitHub is asked to send something again; why not, where it is not."""

    missed: Missed
    why_not: str = ""


def since(look: Look, now: datetime) -> datetime:
    """Say from when on deliveries are looked at."""
    return max(look.at - LOOK_BACK, now - GITHUB_KEEPS)


def is_ours(sendings: Iterable[Sending], known: Collection[str]) -> bool:
    """Say whether a hook leads to us; others of the repository are none of our business."""
    return any(each.guid in known for each in sendings)


def missing(sendings: Sequence[Sending], known: Collection[str]) -> tuple[Sending, ...]:
    """Return the first tries of what never came and has not been asked for too often.

    Args:
        sendings: all of a hook's, the newest first, from some moment on.
        known: guids of what has come.
    """
    arrived = {each.guid for each in sendings if each.arrived}
    again = [each.guid for each in sendings if each.again]
    return tuple(
        each
        for each in reversed(sendings)
        if not each.again
        and each.name in KNOWN
        and each.guid not in known
        and each.guid not in arrived
        and again.count(each.guid) < MOST_TIMES
    )


def judge(
    missed: Sequence[Missed], kept: Sequence[Kept], repository: Repository | None
) -> tuple[Judged, ...]:
    """Say of each what is missing whether it is asked for again.

    What something newer of its kind has come after is not: an old commit would overtake it.

    Args:
        missed: of one repository, the oldest first.
        kept: what has come from there since the oldest of them.
        repository: None where nobody registered it.
    """
    return tuple(
        Judged(each, _why_not(each, missed[place + 1 :], kept, repository))
        for place, each in enumerate(missed)
    )


def _why_not(
    missed: Missed, later: Sequence[Missed], kept: Sequence[Kept], repository: Repository | None
) -> str:
    decision = decide(missed.event, repository)
    if isinstance(decision, Ignore):
        return decision.reason
    if any(each.event.content == missed.event.content for each in kept):
        return "it has come in another delivery"
    kind = _kind(missed.event)
    come = any(
        _kind(each.event) == kind
        and each.received_at > missed.sending.at
        and each.outcome.state in {State.STORED, State.DELIVERED}
        for each in kept
    )
    coming = any(
        _kind(each.event) == kind and not isinstance(decide(each.event, repository), Ignore)
        for each in later
    )
    return "something newer has taken its place" if come or coming else ""


def _kind(event: Event) -> tuple[str, ...]:
    """Return what two events have in common of which the newer one counts."""
    return (event.name, *_place(event.ref, event.facts))


def _place(ref: str, facts: Facts) -> tuple[str, ...]:
    match facts:
        case ReleasePublished():
            return ()
        case WorkflowEnded():
            return (ref, facts.workflow)
        case DeploymentAsked():
            return (facts.environment,)
        case _:
            return (ref,)
