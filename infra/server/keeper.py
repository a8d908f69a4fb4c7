"""Starts again what `slipway up` has started and nobody has stopped, when it is gone."""

import contextlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from infra.server.daemons import KEEPER, Daemon, daemons
from infra.server.settings import server
from tasks.core.clock import Clock, SystemClock

__all__ = ["Keeper", "main"]

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(milliseconds=500)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=1)
AFTER_A_FAILURE = timedelta(seconds=5)
LIVED_LONG = timedelta(minutes=5)
"""What died sooner is given longer and longer pauses: it would only die again."""


@dataclass(slots=True)
class _Revival:
    at: timedelta
    pause: timedelta = FIRST_PAUSE


@dataclass(slots=True)
class Keeper:
    """Remembers when it has started what, so that it does not do so all the time."""

    clock: Clock = field(default_factory=SystemClock)
    _revivals: dict[str, _Revival] = field(default_factory=dict)

    def look(self, kept: Daemon, environment: dict[str, str]) -> bool:
        """Start a process again if it is gone and its pause is over; say whether it was started."""
        now = self.clock.elapsed()
        last = self._revivals.get(kept.name)
        if (last and now - last.at < last.pause) or not kept.has_died():
            return False
        soon = last is not None and now - last.at < LIVED_LONG
        pause = min(last.pause * 2, LONGEST_PAUSE) if last and soon else FIRST_PAUSE
        self._revivals[kept.name] = _Revival(now, pause)  # what cannot be started has pauses too
        started = _apart(lambda: kept.revive(environment))
        if started:
            log.warning("%s was gone and is started again, see %s", kept.name, kept.log)
        return started


def main() -> None:
    """Keep until a signal comes."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    keeper = Keeper()
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            try:
                _look_at_all(keeper)
            except Exception:
                log.exception("looking for what is gone failed, trying again")
                keeper.clock.wait(AFTER_A_FAILURE)
            keeper.clock.wait(LOOK_EVERY)


def _look_at_all(keeper: Keeper) -> None:
    prefect = server()
    environment = prefect.environment()
    for kept in daemons(prefect):
        if kept.name != KEEPER:
            keeper.look(kept, environment)


def _apart(act: Callable[[], bool]) -> bool:
    """Do something in a fork, and return what came of it: what it starts is no child of ours.

    Who ends a process ends its children, too, and the keeper is ended first.
    """
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if act() else 1)
        except BaseException:
            log.exception("it could not be started again")
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    main()
