"""What GitHub has sent in vain, and which heads it has never told us of: decisions alone."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from infra.webhook.decide import USUAL, decide
from infra.webhook.github import KNOWN
from infra.webhook.model import (
    DeploymentAsked,
    Event,
    Facts,
    Ignore,
    Kept,
    Look,
    Push,
    ReleasePublished,
    Repository,
    State,
    WorkflowEnded,
)
from tasks.core.triggers import matches

__all__ = [
    "Head",
    "Heads",
    "Judged",
    "Missed",
    "Sending",
    "branches_of",
    "found_push",
    "is_ours",
    "judge",
    "judge_heads",
    "missing",
    "since",
    "twin",
]

LOOK_BACK = timedelta(hours=1)
"""Three times asking takes fifteen minutes; what is older than this is not asked for again."""
GITHUB_KEEPS = timedelta(days=3)
"""How long GitHub can send a delivery again; docs.github.com, Redelivering webhooks."""
MOST_TIMES = 3
ON_ITS_WAY = timedelta(minutes=2)
"""A push so young may be about to come by itself."""
CLOCKS_DIFFER = timedelta(minutes=5)
FOUND = "found-"
"""How the deliveries begin that we have made ourselves."""
BRANCH = "refs/heads/"


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


@dataclass(frozen=True, slots=True)
class Head:
    """Where a branch stands; its name in full (`refs/heads/main`)."""

    ref: str
    commit: str


@dataclass(frozen=True, slots=True)
class Heads:
    """What became of heads.

    Attributes:
        unheard: those that no push has told of.
        young: those that may still be told of.
        seen: what the next look need not wonder at, by ref.
    """

    unheard: tuple[Head, ...] = ()
    young: tuple[Head, ...] = ()
    seen: Mapping[str, str] = field(default_factory=dict)


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


def branches_of(repository: Repository, default: str) -> tuple[str, ...]:
    """Return the patterns of branches that a push to starts something."""
    told = repository.application.triggers
    rules = [each for each in (USUAL if told is None else told) if each.event == "push"]
    usual = (default,)
    named = [rule.branches or (() if rule.tags else usual) for rule in rules]
    return tuple(dict.fromkeys(pattern for patterns in named for pattern in patterns))


def judge_heads(
    heads: Iterable[Head], look: Look, kept: Sequence[Kept], *, awaited: Collection[str]
) -> Heads:
    """Tell heads that are known from those that nobody has told us of.

    Args:
        heads: as they are now.
        look: the one before.
        kept: what has come since then, and somewhat before.
        awaited: refs of which a push may be on its way.
    """
    unheard, young, seen = [], [], dict(look.heads)
    for head in heads:
        if not _is_known(head, look, kept):
            if head.ref in awaited:
                young.append(head)
                continue
            unheard.append(head)
        seen[head.ref] = head.commit
    return Heads(tuple(unheard), tuple(young), seen)


def _is_known(head: Head, look: Look, kept: Sequence[Kept]) -> bool:
    pushes = [
        (each.event.facts.pushed_at or each.received_at, each.event.facts.commit)
        for each in kept
        if isinstance(each.event.facts, Push) and each.event.ref == head.ref
    ]
    # pushes may come in another order than they were made in
    last = max([*pushes, (look.at, look.heads.get(head.ref))], key=lambda found: found[0])
    of_late = {commit for at, commit in pushes if at >= look.at - CLOCKS_DIFFER}
    return head.commit == last[1] or head.commit in of_late


def found_push(repository: Repository, push: Push, at: datetime) -> Event:
    """Return the event that GitHub should have sent.

    Args:
        repository: where the head was found.
        push: what is known of it.
        at: when it was found.
    """
    said = json.dumps(["found", repository.name, push.ref, push.commit, at.isoformat()])
    content = sha256(said.encode()).hexdigest()
    delivery = f"{FOUND}{content[:32]}"
    return Event("github", "push", delivery, content, repository.name, push.ref, push)


def twin(kept: Kept, earlier: Iterable[Kept]) -> Kept | None:
    """Return the event that says the same as a push, one found and one sent by GitHub.

    Args:
        kept: a push.
        earlier: pushes to the same ref that were stored before it.
    """
    mine = kept.event.facts
    for each in earlier:
        theirs = each.event.facts
        if not isinstance(mine, Push) or not isinstance(theirs, Push):
            continue
        if mine.commit == theirs.commit and _is_found(each) != _is_found(kept):
            found, sent = (each, kept) if _is_found(each) else (kept, each)
            if _pushed_at(sent) <= found.received_at and _is_close(found, sent):
                return each
    return None


def _is_found(kept: Kept) -> bool:
    return kept.event.delivery.startswith(FOUND)


def _is_close(found: Kept, sent: Kept) -> bool:
    """Say whether what GitHub sent can be the push that was found, and not one of long before."""
    late = sent.id > found.id  # then it is as old as its own time says
    return late or found.received_at - sent.received_at <= LOOK_BACK


def _pushed_at(kept: Kept) -> datetime:
    facts = kept.event.facts
    return facts.pushed_at or kept.received_at if isinstance(facts, Push) else kept.received_at


def fits(patterns: tuple[str, ...], ref: str) -> bool:
    """Say whether a branch, in full, is one of those that patterns name."""
    return ref.startswith(BRANCH) and matches(patterns, ref.removeprefix(BRANCH))
