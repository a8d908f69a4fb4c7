"""Events that have to wait while those that came after them go on."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from infra.webhook.model import Kept

__all__ = ["Postponed"]

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Try:
    """The next try of an event: at an instant of a clock's elapsed time, after a pause."""

    kept: Kept
    at: timedelta
    pause: timedelta


@dataclass(slots=True)
class Postponed:
    """Each is tried again, after a longer pause each time; a restart tries all of them at once."""

    _tries: dict[int, _Try] = field(default_factory=dict)

    @property
    def ids(self) -> Collection[int]:
        """Ids of those that wait."""
        return self._tries.keys()

    def put_off(self, kept: Kept, now: timedelta) -> None:
        """Let an event wait, once more or for the first time."""
        before = self._tries.get(kept.id)
        pause = min(before.pause * 2, LONGEST_PAUSE) if before else FIRST_PAUSE
        self._tries[kept.id] = _Try(kept, now + pause, pause)

    def due(self, now: timedelta) -> tuple[Kept, ...]:
        """Return the one that is to be tried again now, if any.

        No more than one: a cluster that is away takes its time to say so, each time.
        """
        first = min(self._tries.values(), key=lambda each: each.at, default=None)
        return (first.kept,) if first is not None and first.at <= now else ()

    def forget(self, kept: Kept) -> None:
        """Let an event that has an end wait no more."""
        self._tries.pop(kept.id, None)
