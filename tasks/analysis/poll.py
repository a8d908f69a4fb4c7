"""Asking in the background, so that somebody slow holds nobody up."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from tasks.core.errors import SlipwayError

__all__ = ["Asking", "Poll"]

T = TypeVar("T")
PATIENCE = timedelta(seconds=5)
"""For so long a slow answer is waited for before it is a fault."""


class Asking(Protocol):
    """A poll, whatever its answer is."""

    def start(self, pool: Executor, now: datetime) -> Future[Any] | None:
        """Ask when it is time, and return what is under way."""
        ...


@dataclass(slots=True)
class Poll(Generic[T]):
    """One question that is asked again and again, never twice at a time.

    Its instants have to go forward only, as those of a watch do (`Time`).

    Attributes:
        asked_at: when it was asked last; None lets it be asked at once.
        fault: why there was no answer last time, empty where there was one.
    """

    ask: Callable[[], T]
    every: timedelta
    asked_at: datetime | None = None
    fault: str = ""
    _under_way: Future[T] | None = None

    def start(self, pool: Executor, now: datetime) -> Future[Any] | None:
        """Ask when it is time, and return what is under way."""
        is_due = self.asked_at is None or now >= self.asked_at + self.every
        if self._under_way is None and is_due:
            self.asked_at = now
            self._under_way = pool.submit(self.ask)
        return self._under_way

    def take(self, now: datetime) -> T | None:
        """Return an answer that has come, once; None while there is none."""
        if self._under_way is None or self.asked_at is None:
            return None
        if not self._under_way.done():
            waited = now - self.asked_at
            if waited >= PATIENCE:
                self.fault = f"no answer for {waited.total_seconds():.0f} s"
            return None
        answered, self._under_way = self._under_way, None
        try:
            answer = answered.result()
        except SlipwayError as error:
            self.fault = str(error)
            return None
        self.fault = ""
        return answer
