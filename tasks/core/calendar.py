"""When an environment lets anything in, by the wall clock of each place, summer time and all.

A clock that is put forward skips a time: it counts as the instant of the jump. One that is put
back shows a time twice: what begins then begins the first time, a freeze ends the second time and
a window the first time, so that no freeze is shorter and no window longer than it says.
"""

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tasks.core.errors import GateClosed
from tasks.core.gates import Freeze, Window

__all__ = ["DAYS", "Calendar", "Closed", "begin_of", "end_of", "frozen_until", "is_weekly"]

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEK = timedelta(days=7)
AROUND = (-WEEK, timedelta(0), WEEK)
"""A weekly time that holds now began this week or the one before; the next one is not far."""
MOST_STEPS = 500
Span = tuple[datetime, datetime]
"""From an instant (included) to another, aware UTC."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Why nothing may come in, and from when on it may (aware UTC); None where that is not seen."""

    reason: str
    opens: datetime | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """The windows and freezes of an environment.

    Attributes:
        windows: one of them has to be open, where there are any.
        freezes: none of them may hold.
        also: one of these has to be open too, likewise.
    """

    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    also: tuple[Window, ...] = ()

    @property
    def may_close(self) -> bool:
        """Whether there is a time at which nothing may come in."""
        return bool(self.windows or self.freezes or self.also)

    def within(self, other: "Calendar") -> "Calendar":
        """Return the calendar that is open while both are."""
        freezes = tuple(dict.fromkeys((*self.freezes, *other.freezes)))
        also = () if other.windows == self.windows else other.windows
        return Calendar(self.windows, freezes, also)

    def closed(self, now: datetime, opened: datetime | None = None) -> Closed | None:
        """Say why an environment is closed at an aware instant, None where it is open.

        Args:
            now: the instant.
            opened: when somebody has opened what was closed then: what closes later is closed.
        """
        freezes = [
            (span[1], each)
            for each in self.freezes
            for span in _spans(each, now)
            if _holds(span, now) and not (opened and span[0] <= opened)
        ]
        if freezes:
            end, longest = max(freezes, key=lambda found: found[0])
            return Closed(_frozen(end, longest), self._opens(end))
        if windows := self._shut(now, opened):
            reason = f"outside its windows until {_said(*_next_window(windows, now))}"
            return Closed(reason, self._opens(now))
        return None

    def require_open(self, now: datetime, where: str, opened: datetime | None = None) -> None:
        """Return where nothing is closed at an aware instant.

        Raises:
            GateClosed: a freeze holds, or no window is open, and nobody has opened it (`closed`).
        """
        closed = self.closed(now, opened)
        if closed is not None:
            raise GateClosed(closed.reason, where=where, next_step="deliver again after that")

    def _opens(self, after: datetime) -> datetime | None:
        """Return the first instant from one on at which nothing is closed."""
        now = after
        for _ in range(MOST_STEPS):
            end = frozen_until(self.freezes, now)
            if end is not None:
                now = end
            elif windows := self._shut(now):
                now, _ = _next_window(windows, now)
            else:
                return now
        return None

    def _shut(self, now: datetime, opened: datetime | None = None) -> tuple[Window, ...]:
        """Return windows of which one would have to be open; none where one is, or was opened."""
        shut = (each for each in (self.windows, self.also) if _are_shut(each, now))
        return next((each for each in shut if not (opened and _is_same(each, opened, now))), ())


def frozen_until(freezes: Iterable[Freeze], now: datetime) -> datetime | None:
    """Return when the latest of the freezes that hold now ends (UTC), None where none holds.

    Args:
        freezes: of one environment.
        now: aware instant.
    """
    spans = (span for each in freezes for span in _spans(each, now))
    return max((span[1] for span in spans if _holds(span, now)), default=None)


def _are_shut(windows: tuple[Window, ...], now: datetime) -> bool:
    spans = (span for each in windows for span in _spans(each, now))
    return bool(windows) and not any(_holds(span, now) for span in spans)


def _is_same(windows: tuple[Window, ...], then: datetime, now: datetime) -> bool:
    """Say whether they have been shut all the time between two instants."""
    return _are_shut(windows, then) and _next_window(windows, then)[0] > now


def _next_window(windows: tuple[Window, ...], now: datetime) -> tuple[datetime, str]:
    """Return when the next of the windows opens, and whose clock says so."""
    starts = ((span[0], each.tz) for each in windows for span in _spans(each, now))
    return min((found for found in starts if found[0] > now), key=lambda found: found[0])


def is_weekly(moment: str) -> bool:
    """Say whether a moment of slipway.yaml comes every week."""
    return moment[:3] in DAYS


def _holds(span: Span, now: datetime) -> bool:
    return span[0] <= now < span[1]


def _spans(rule: Freeze | Window, now: datetime) -> Iterator[Span]:
    """Yield when a rule holds around an instant; at least the time that holds, and the next one."""
    zone = ZoneInfo(rule.tz)
    until = _last if isinstance(rule, Freeze) else _first
    if not is_weekly(rule.start):
        yield _first(begin_of(rule.start), zone), until(end_of(rule.end), zone)
        return
    wall = now.astimezone(zone).replace(tzinfo=None)
    monday = wall.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    monday -= timedelta(days=wall.weekday())
    start, end = _of_week(rule.start), _of_week(rule.end)
    length = (end - start) % WEEK
    for shift in AROUND:
        begin = monday + shift + start
        yield _first(begin, zone), until(begin + length, zone)


def _of_week(moment: str) -> timedelta:
    """Return how long after Monday's first minute a weekly moment comes."""
    day, time = moment.split()
    hour, minute = time.split(":")
    return timedelta(days=DAYS.index(day), hours=int(hour), minutes=int(minute))


def begin_of(moment: str) -> datetime:
    """Return when a dated freeze begins, by the clock of its place."""
    return datetime.fromisoformat(moment)


def end_of(moment: str) -> datetime:
    """Return when it ends, likewise; a day without a time is frozen as a whole."""
    end = datetime.fromisoformat(moment)
    return end if " " in moment else end + timedelta(days=1)


def _first(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant (UTC) at which a place's clock shows a time, or has passed it."""
    before, after = _both(wall, zone)
    return before if after >= before else _jump(wall, zone, after, before)


def _last(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the last instant at which a clock shows a time; that of the jump over it."""
    before, after = _both(wall, zone)
    return after if after >= before else _jump(wall, zone, after, before)


def _both(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return a time by the offsets before and after a change; swapped in a gap (PEP 495)."""
    local = wall.replace(tzinfo=zone)
    return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _jump(wall: datetime, zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Return the second in which a clock jumps over a time, between two instants."""
    seconds = range(int((high - low).total_seconds()) + 1)

    def is_over(second: int) -> bool:
        shown = (low + timedelta(seconds=second)).astimezone(zone)
        return shown.replace(tzinfo=None) >= wall

    return low + timedelta(seconds=bisect.bisect_left(seconds, x=True, key=is_over))


def _frozen(end: datetime, freeze: Freeze) -> str:
    why = f" ({freeze.reason})" if freeze.reason else ""
    return f"frozen until {_said(end, freeze.tz)}{why}"


def _said(instant: datetime, zone: str) -> str:
    return f"{instant.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M %Z}"
