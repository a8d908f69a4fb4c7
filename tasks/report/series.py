"""What was counted during a rollout, as lines over time."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from tasks.core.record import Record
from tasks.core.sample import Sample
from tasks.core.slos import Availability, Latency, Saturation, Slos
from tasks.core.tracks import TRACKS, Track

__all__ = [
    "Goal",
    "Indicator",
    "Line",
    "Point",
    "Window",
    "goals",
    "indicators",
    "traffic",
    "window",
]

SLOTS = 48
"""As many points as a line has room for on a phone."""

MARGIN = 0.04
"""Share of a chart's width that is left behind the last change, so that it can be seen."""

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
class Goal:
    """What an indicator is judged by; limit in percent of bad events, or a plain number."""

    limit: float
    is_share: bool


@dataclass(frozen=True, slots=True)
class Indicator:
    """What was counted under one name; without a goal it is one part of an indicator's counts."""

    name: str
    goal: Goal | None
    lines: tuple[Line, ...]

    @property
    def is_share(self) -> bool:
        """Whether values are percent of bad events, or plain numbers."""
        return self.goal is None or self.goal.is_share


def goals(slos: Slos) -> dict[str, Goal]:
    """Return the goals by the names of their samples."""
    custom = {name: each.indicator for name, each in slos.custom.items()}
    named = {
        "availability": slos.availability,
        "latency": slos.latency,
        "saturation": slos.saturation,
        **custom,
    }
    return {name: _goal(each) for name, each in named.items() if each is not None}


def _goal(slo: Availability | Latency | Saturation) -> Goal:
    if isinstance(slo, Saturation):
        return Goal(slo.limit, is_share=False)
    return Goal(100 - slo.objective, is_share=True)


def window(record: Record) -> Window | None:
    """Return from when to when there is something to draw, None where there is nothing."""
    instants = [sample.at for sample in record.samples]
    instants += [moment.at for moment in record.moments if moment.share is not None]
    if not instants:
        return None
    begin, end = (_seconds(record, each) for each in (min(instants), max(instants)))
    return Window(begin, end + max(1.0, MARGIN * (end - begin)))


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


def indicators(record: Record, shown: Window, slos: Slos) -> tuple[Indicator, ...]:
    """Return what was counted, by name; the stable track comes first."""
    by_name: dict[str, list[Sample]] = defaultdict(list)
    for sample in record.samples:
        by_name[sample.sli].append(sample)
    known = goals(slos)
    width = max(1.0, (shown.end - shown.begin) / SLOTS)
    found = []
    for name, samples in sorted(by_name.items()):
        slots = {track: _slots(record, _of(track, samples), width) for track in TRACKS}
        goal = known.get(name)
        factor = 1.0 if goal and not goal.is_share else 100.0
        lines = tuple(_line(track, slot, factor) for track, slot in slots.items() if slot)
        found.append(Indicator(name, goal, lines))
    return tuple(found)


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
