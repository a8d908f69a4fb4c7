"""One look at GitHub for what it has told nobody: failed deliveries, and heads of branches."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from infra.webhook import hub as asks
from infra.webhook.heads import ON_ITS_WAY, Head, branches_of, found_push, judge_heads
from infra.webhook.missed import (
    GITHUB_KEEPS,
    LOOK_BACK,
    Missed,
    Sending,
    is_ours,
    judge,
    missing,
    since,
)
from infra.webhook.model import Event, Look, Push, Repository
from infra.webhook.store import Store
from tasks.core.errors import ConfigError, SlipwayError
from tasks.core.github import GitHub
from tasks.core.repository import name_at

__all__ = ["Finding", "Kind", "Reconciliation"]

MOST_TO_KNOW = 100
"""Deliveries that are looked at to know a hook by what has come from it."""


class Kind(StrEnum):
    """What a look comes upon."""

    FIRST = "first"
    ASKED = "asked"
    LEFT = "left"
    YOUNG = "young"
    FOUND = "found"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a look came upon; what in words for a person."""

    kind: Kind
    repository: str
    what: str


@dataclass(slots=True)
class Reconciliation:
    """One look.

    Attributes:
        now: aware UTC.
    """

    store: Store
    hub: GitHub
    now: datetime
    _ours: set[str] = field(default_factory=set)
    _read: dict[int, Missed | None] = field(default_factory=dict)

    def look(self) -> tuple[Finding, ...]:
        """Look at each registered repository that GitHub has, and say what was there.

        What cannot be looked at is looked at next time, from the same moment on.
        """
        return tuple(found for each in self.store.repositories() for found in self._at(each))

    def _at(self, repository: Repository) -> Iterator[Finding]:
        if name_at(repository.address, self.hub.login.web) is None:
            return
        try:
            yield from self._compare(repository)
        except SlipwayError as error:
            yield Finding(Kind.FAILED, repository.name, str(error))

    def _compare(self, repository: Repository) -> Iterator[Finding]:
        told = self.hub.ask("GET", f"/repos/{repository.name}")
        default = str(told["default_branch"])
        heads = asks.fetch_heads(self.hub, repository.name, branches_of(repository, default))
        before = self.store.look(repository.name)
        if before is None:
            first = Look(self.now, {head.ref: head.commit for head in heads})
            self.store.keep_look(repository.name, first)
            yield Finding(Kind.FIRST, repository.name, "what is missed from now on is found")
            return
        self._ours = set(before.hooks)
        asked = tuple(self._ask_again(repository, before))
        yield from (finding for finding, _ in asked)
        # nobody has pushed to an empty repository
        pushed_at = datetime.fromisoformat(told["pushed_at"]) if told["pushed_at"] else self.now
        fresh = self.now - pushed_at < ON_ITS_WAY
        awaited = {ref for _, ref in asked} | {head.ref for head in heads if fresh}
        kept = self.store.recent(repository.name, before.at - LOOK_BACK)
        judged = judge_heads(heads, before, kept, awaited=awaited)
        missed = [
            self._event(repository, head, Push(head.ref, head.commit, "", None, default, pushed_at))
            for head in judged.unheard
        ]
        look = Look(self.now, judged.seen, tuple(sorted(self._ours)))
        self.store.keep_look(repository.name, look, missed)
        for kind, found in ((Kind.FOUND, judged.unheard), (Kind.YOUNG, judged.young)):
            yield from (Finding(kind, repository.name, f"{h.ref} {h.commit}") for h in found)

    def _event(self, repository: Repository, head: Head, push: Push) -> Event:
        message = asks.fetch_message(self.hub, repository.name, head.commit)
        return found_push(repository, dataclasses.replace(push, message=message), self.now)

    def _ask_again(self, repository: Repository, look: Look) -> Iterator[tuple[Finding, str]]:
        """Ask for what did not come; yield also the ref of what may come now."""
        name = repository.name
        kept = self.store.recent(name, since(look, self.now))
        try:
            missed = self._missed(repository, since(look, self.now))
        except ConfigError as error:
            # without the right to see hooks, heads can still be compared
            yield Finding(Kind.FAILED, name, str(error)), ""
            return
        for each in judge(missed, kept, repository):
            what = f"{each.missed.event.name} {each.missed.event.ref}".strip()
            when = f"{each.missed.sending.at:%Y-%m-%d %H:%M}"
            if each.why_not:
                yield Finding(Kind.LEFT, name, f"{what} of {when}: {each.why_not}"), ""
                continue
            asks.ask_again(self.hub, each.missed)
            yield Finding(Kind.ASKED, name, f"{what} of {when}"), each.missed.event.ref

    def _missed(self, repository: Repository, begin: datetime) -> Sequence[Missed]:
        found: list[Missed | None] = []
        for hook in asks.fetch_hooks(self.hub, repository.name):
            if hook in self._ours or self._leads_here(hook):
                self._ours.add(hook)
                sendings = asks.fetch_sendings(self.hub, hook, begin)
                known = self.store.known(each.guid for each in sendings)
                found += [self._payload(hook, each) for each in missing(sendings, known)]
        ours = [each for each in found if each is not None and _is_of(each, repository)]
        return sorted(ours, key=lambda each: each.sending.at)

    def _leads_here(self, hook: str) -> bool:
        sendings = asks.fetch_sendings(self.hub, hook, self.now - GITHUB_KEEPS, MOST_TO_KNOW)
        return is_ours(sendings, self.store.known(each.guid for each in sendings))

    def _payload(self, hook: str, sending: Sending) -> Missed | None:
        """Read it once, however many repositories share the hook of an App."""
        if sending.id not in self._read:
            self._read[sending.id] = asks.fetch_missed(self.hub, hook, sending)
        return self._read[sending.id]


def _is_of(missed: Missed, repository: Repository) -> bool:
    """Say whether it is about a repository: an App's hook has those of all of them."""
    return missed.event.subject.casefold() == repository.name.casefold()
