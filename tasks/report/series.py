"""What was counted during a rollout, as lines over time."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from tasks.core.model import Record
from tasks.core.sample import Sample, Track

__all__ = ["Indicator", "Line", "Point", "Window", "indicators", "traffic", "window"]

SHARES = frozenset({"availability", "latency"})
"""Indicators that count events whatever their numbers look like."""

TRACKS: tuple[Track, ...] = ("stable", "canary")

SLOTS = 48
"""As many points as a line has room for on a phone."""

GAP = 3.0
"""A line is broken where its points are this many times further apart than they usually are."""

Point = tuple[float, float | None]
"""Seconds after the rollout's start, and the value; None breaks the line."""


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of a rollout that charts show, in seconds after its start."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Line:
    """One track of an indicator.

    Attributes:
        points: percent of bad events, or the mean of a plain number, in each slot of time.
        total: events counted; bad: those that broke the objective.
        value: the same as in points, over the whole line.
    """

    track: Track
    points: tuple[Point, ...]
    total: float
    bad: float
    value: float


@dataclass(frozen=True, slots=True)
class Indicator:
    """A service level indicator; is_share where it counts bad events among all of them."""

    name: str
    is_share: bool
    lines: tuple[Line, ...]


def window(record: Record) -> Window | None:
    """Return from when to when there is something to draw, None where there is nothing."""
    instants = [sample.at for sample in record.samples]
    instants += [moment.at for moment in record.moments if moment.share is not None]
    if not instants:
        return None
    begin, end = (_seconds(record, each) for each in (min(instants), max(instants)))
    return Window(begin, max(end, begin + 1))


def traffic(record: Record, shown: Window) -> tuple[Point, ...]:
    """Return the corners of the new release's share of the traffic, in percent."""
    points: list[Point] = []
    share = 0
    for moment in sorted(record.moments, key=lambda each: each.at):
        if moment.share is None:
            continue
        at = _seconds(record, moment.at)
        points += [(at, share), (at, moment.share)]
        share = moment.share
    return ((shown.begin, 0), *points, (shown.end, share)) if points else ()


def indicators(record: Record, shown: Window) -> tuple[Indicator, ...]:
    """Return what was counted for each indicator, the stable track first."""
    by_name: dict[str, list[Sample]] = defaultdict(list)
    for sample in record.samples:
        by_name[sample.sli].append(sample)
    width = max(1.0, (shown.end - shown.begin) / SLOTS)
    return tuple(_indicator(name, found, record, width) for name, found in sorted(by_name.items()))


def _indicator(name: str, samples: list[Sample], record: Record, width: float) -> Indicator:
    is_share = name in SHARES or any(sample.total != 1 for sample in samples)
    factor = 100.0 if is_share else 1.0
    slots = {track: _slots(record, _of(track, samples), width) for track in TRACKS}
    lines = tuple(_line(track, found, factor) for track, found in slots.items() if found)
    return Indicator(name, is_share, lines)


def _of(track: Track, samples: list[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.track == track]


def _slots(record: Record, samples: list[Sample], width: float) -> dict[float, list[Sample]]:
    """Sort samples into slots of time, by the middle of each; those that counted nothing go."""
    slots: dict[float, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.total > 0:
            slots[(_seconds(record, sample.at) // width + 0.5) * width].append(sample)
    return dict(sorted(slots.items()))


def _line(track: Track, slots: dict[float, list[Sample]], factor: float) -> Line:
    sums = {
        middle: (sum(each.total for each in found), sum(each.bad for each in found))
        for middle, found in slots.items()
    }
    points = [(middle, factor * bad / total) for middle, (total, bad) in sums.items()]
    total, bad = (sum(part) for part in zip(*sums.values(), strict=True))
    return Line(track, tuple(_broken(points)), total, bad, factor * bad / total)


def _broken(points: list[tuple[float, float]]) -> Iterator[Point]:
    """Put a break where nothing was counted for a while."""
    steps = [later[0] - former[0] for former, later in pairwise(points)]
    usual = median(steps) if steps else 0
    for point, step in zip(points, [0.0, *steps], strict=False):
        if step > GAP * usual:
            yield point[0] - step / 2, None
        yield point


def _seconds(record: Record, instant: datetime) -> float:
    return (instant - record.started_at).total_seconds()
