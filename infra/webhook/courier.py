"""Taking stored events on to Prefect, in the order of their arrival, until each has an end."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

from infra.webhook.decide import decide
from infra.webhook.heads import twin
from infra.webhook.metrics import Metrics
from infra.webhook.model import (
    Alerts,
    Ignore,
    Kept,
    NotYet,
    Outcome,
    Pressed,
    Push,
    Repository,
    Start,
    State,
    WorkflowEnded,
)
from infra.webhook.overtaken import overtaken_by
from infra.webhook.postponed import Postponed
from infra.webhook.store import Store
from tasks.core.clock import Clock, SystemClock
from tasks.core.errors import SlipwayError, Unavailable

__all__ = ["Answerer", "Courier", "Starter"]

log = logging.getLogger(__name__)

Starter = Callable[[Start, str], str]
"""Creates a flow run, once for each key, and returns its id.

It raises Unavailable where the same call may succeed later, another SlipwayError where not.
"""

Answerer = Callable[[Pressed], str]
"""Gives an answer from Slack to the run that waits, once, and returns who has said what.

It raises NotYet where this one may succeed later, Unavailable where none can before, another
SlipwayError where it does not count.
"""

Find = Callable[[str, str | None], Repository | None]
"""Looks a repository up: by its name, or, for an alert, by its application."""

AT_ONCE = 100
GATHER = timedelta(seconds=0.05)
"""After what was there what comes is gathered so long: many at once cost little more than one."""
IDLE = timedelta(seconds=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=0.5), timedelta(seconds=30)
END_WITHIN = timedelta(seconds=8)


@dataclass(slots=True)
class Courier:
    """One thread that works through the store.

    Prefect being away stops everything, so that nothing overtakes what came before it. An answer
    that has to wait for something else is overtaken by everything.
    """

    store: Store
    starter: Starter
    metrics: Metrics
    answerer: Answerer | None = None
    clock: Clock = field(default_factory=SystemClock)
    _postponed: Postponed = field(default_factory=Postponed)
    _wake: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether the thread works."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let the thread finish what it is at."""
        self._ended.set()
        self._wake.set()
        if self._thread:
            self._thread.join(END_WITHIN.total_seconds())

    def wake(self) -> None:
        """Tell the thread that something is there."""
        self._wake.set()

    def deliver(self) -> int:
        """Take the oldest events on and return for how many that was the end.

        Raises:
            Unavailable: Prefect is away; what could be done until then is done.
        """
        fresh = self.store.waiting(AT_ONCE, self._postponed.ids)
        find = cache(self._repository)
        done: list[tuple[Kept, Outcome]] = []
        try:
            for kept in (*fresh, *self._postponed.due(self.clock.elapsed())):
                if self._ended.is_set():
                    break
                outcome = self._outcome(kept, find)
                if outcome is not None:
                    done.append((kept, outcome))
        finally:
            self.store.settle(outcome for _, outcome in done)
            for kept, outcome in done:
                self._postponed.forget(kept)
                self.metrics.settled(kept.event, outcome.state)
        return len(done)

    def _outcome(self, kept: Kept, find: Find) -> Outcome | None:
        """Say what becomes of an event, None where it has to wait."""
        if isinstance(kept.event.facts, Pressed):
            return self._answered(kept, kept.event.facts)
        facts, subject = kept.event.facts, kept.event.subject
        application = facts.application if isinstance(facts, Alerts) else None
        repository = find(subject, application)
        decision = decide(kept.event, repository)
        if isinstance(decision, Ignore):
            return Outcome(kept.id, State.IGNORED, decision.reason)
        before = self._before(kept)
        if same := twin(kept, before):
            return Outcome(kept.id, State.IGNORED, f"event {same.id} was this push already")
        if later := overtaken_by(kept, decision, before, repository):
            return Outcome(kept.id, State.IGNORED, f"event {later.id} tells of a later one")
        try:
            run = self.starter(decision, f"webhook-{kept.event.content}")
        except Unavailable:
            raise
        except SlipwayError as error:
            log.warning("event %d: %s", kept.id, error)
            return Outcome(kept.id, State.REFUSED, str(error))
        log.info("event %d: %s is run %s", kept.id, decision.run_name, run)
        return Outcome(kept.id, State.DELIVERED, decision.run_name, run)

    def _before(self, kept: Kept) -> tuple[Kept, ...]:
        """Return what came before an event and may be the same, or later than it."""
        match kept.event.facts:
            case Push() as push:
                return self.store.pushes(kept, push)
            case WorkflowEnded() as ended:
                return self.store.later_runs(kept, ended)
            case _:
                return ()

    def _answered(self, kept: Kept, pressed: Pressed) -> Outcome | None:
        if self.answerer is None:
            return Outcome(kept.id, State.IGNORED, "nobody has logged in to Slack here")
        run = pressed.asked.run
        try:
            said = self.answerer(pressed)
        except NotYet as error:
            log.info("event %d waits: %s", kept.id, error)
            self._postponed.put_off(kept, self.clock.elapsed())
            return None
        except Unavailable:
            raise
        except SlipwayError as error:
            log.warning("event %d: %s", kept.id, error)
            return Outcome(kept.id, State.REFUSED, str(error), run)
        except Exception as error:  # it would come again and again, and keep back all the others
            log.exception("event %d", kept.id)
            why = f"a fault of Slipway's own, {type(error).__name__}"
            return Outcome(kept.id, State.REFUSED, why, run)
        log.info("event %d: %s, run %s", kept.id, said, run)
        return Outcome(kept.id, State.DELIVERED, said, run)

    def _repository(self, subject: str, application: str | None) -> Repository | None:
        if application is not None:
            return self.store.repository_of(application)
        return self.store.repository(subject)

    def _work(self) -> None:
        pause = FIRST_PAUSE
        while not self._ended.is_set():
            self._wake.clear()
            try:
                count = self.deliver()
                if not count:
                    self._wake.wait(IDLE.total_seconds())
                elif count < AT_ONCE:
                    self._ended.wait(GATHER.total_seconds())
                pause = FIRST_PAUSE
            except Exception as error:  # noqa: BLE001 whatever it is, the events are still there
                log.warning("events wait %s s: %s", pause.total_seconds(), error)
                self._ended.wait(pause.total_seconds())
                pause = min(pause * 2, LONGEST_PAUSE)
