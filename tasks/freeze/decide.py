"""When an environment is frozen, by the wall clock of the place, summer time and all."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tasks.core.application import Freeze

__all__ = ["frozen_until"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK = timedelta(days=7)


def frozen_until(freezes: Iterable[Freeze], now: datetime) -> datetime | None:
    """Return when the latest of the freezes that hold now ends, None where none holds.

    Args:
        freezes: of one environment.
        now: aware instant.
    """
    ends = [end for freeze in freezes if (end := _end(freeze, now)) is not None]
    return max(ends, default=None)


def _end(freeze: Freeze, now: datetime) -> datetime | None:
    local = now.astimezone(ZoneInfo(freeze.tz))
    start = _latest(freeze.start, local)
    end = _latest(freeze.end, start) + _WEEK
    return end if start <= local < end else None


def _latest(moment: str, before: datetime) -> datetime:
    """Return the last time before (or at) an instant when the weekly moment came."""
    day, time = moment.split()
    hour, minute = (int(part) for part in time.split(":"))
    found = before.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
    found -= timedelta(days=(before.weekday() - _DAYS.index(day)) % 7)
    return found if found <= before else found - _WEEK
