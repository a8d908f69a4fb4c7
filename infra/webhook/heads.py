"""Heads of branches that no push has told of, and the pushes that are made of them."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from infra.webhook.decide import USUAL
from infra.webhook.missed import LOOK_BACK
from infra.webhook.model import Event, Kept, Look, Push, Repository
from tasks.core.triggers import matches

__all__ = [
    "ON_ITS_WAY",
    "Head",
    "Heads",
    "branches_of",
    "fits",
    "found_push",
    "judge_heads",
    "twin",
]

ON_ITS_WAY = timedelta(minutes=2)
"""A push so young may be about to come by itself."""
CLOCKS_DIFFER = timedelta(minutes=5)
FOUND = "found-"
"""How the deliveries begin that we have made ourselves."""
BRANCH = "refs/heads/"


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
