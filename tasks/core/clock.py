"""Time, handed in as an argument so that tests own it."""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "FakeClock", "SystemClock", "utc_now"]


class Clock(Protocol):
    """A source of instants and of waits."""

    def now(self) -> datetime:
        """Return the aware UTC instant."""
        ...

    def wait(self, duration: timedelta) -> None:
        """Return after the duration, not before."""
        ...

    def elapsed(self) -> timedelta:
        """Return time since an arbitrary moment; no jump of the wall clock changes it."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the aware UTC instant."""
        return utc_now()

    def wait(self, duration: timedelta) -> None:
        """Block this thread for the duration."""
        time.sleep(max(0.0, duration.total_seconds()))  # noqa: TID251 the one place

    def elapsed(self) -> timedelta:
        """Return time since an arbitrary moment; no jump of the wall clock changes it."""
        return timedelta(seconds=time.monotonic())


@dataclass(slots=True)
class FakeClock:
    """A clock that moves only when somebody waits on it; a test may let its instant jump."""

    instant: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    waits: list[timedelta] = field(default_factory=list)
    _elapsed: timedelta = timedelta(0)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        """Return the instant that the waits so far have led to."""
        return self.instant

    def wait(self, duration: timedelta) -> None:
        """Move on at once and remember the wait."""
        with self._lock:
            self.instant += duration
            self.waits.append(duration)
            self._elapsed += duration

    def elapsed(self) -> timedelta:
        """Return time since an arbitrary moment; no jump of the wall clock changes it."""
        return self._elapsed


def utc_now() -> datetime:
    """Return the aware UTC instant of the machine's clock."""
    return datetime.now(UTC)  # noqa: TID251 the one place
