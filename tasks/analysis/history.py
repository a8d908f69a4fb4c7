"""What the old release counted before the rollout, where nothing runs beside the new one."""

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.analysis.answers import Point
from tasks.analysis.counting import counts, largest, ratio_count, series_of
from tasks.analysis.model import Count
from tasks.analysis.prometheus import Prometheus, Span
from tasks.analysis.questions import Counted, Histogram, Number, Pods, Question, Ratio
from tasks.core.units import format_duration

__all__ = ["before", "span_before"]

PIECE = timedelta(minutes=1)
NUMBER_STEP = timedelta(seconds=15)
MOST_PIECES = 1_000


def span_before(since: datetime, baseline: timedelta) -> Span:
    """Cut the time before a rollout into pieces of a minute, longer ones where they are many."""
    return Span(since - baseline + PIECE, since, max(PIECE, baseline / MOST_PIECES))


def before(
    question: Question, pods: Pods, prometheus: Prometheus, span: Span
) -> dict[str, tuple[Count, ...]]:
    """Return the old release's counts, piece by piece, by the name of their samples.

    Raises:
        SlipwayError: Prometheus does not answer, or refuses a query.
    """
    match question:
        case Counted() | Histogram():
            return _counters(question, pods, prometheus, span)
        case Ratio():
            total, errors = (
                _by_time(prometheus.history(pods.counted(query, pods.stable, span.step), span))
                for query in question.queries
            )
            found = (
                ratio_count(question, total[at], errors.get(at, ()), span.step)
                for at in sorted(total)
            )
            return {question.name: tuple(count for count in found if count is not None)}
        case Number():
            narrowed = pods.narrowed(question.query, pods.stable, span.step)
            values = _by_time(prometheus.history(narrowed, span)).values()
            numbers = (largest(points) for points in values)
            return {question.name: tuple(Count(1.0, each) for each in numbers if each is not None)}


def _counters(
    question: Counted | Histogram, pods: Pods, prometheus: Prometheus, span: Span
) -> dict[str, tuple[Count, ...]]:
    """Let Prometheus add up what each counter grew by in each piece, then count as always."""
    points: list[Point] = []
    window = format_duration(span.step)
    for query in dict.fromkeys(question.queries):
        selector = pods.narrowed(query, pods.stable, span.step)
        name = selector.partition("{")[0]
        found = prometheus.history(f"increase({selector}[{window}])", span)
        points += [
            Point({**point.labels, "__name__": name}, point.at, point.value) for point in found
        ]
    pieces: dict[str, list[Count]] = defaultdict(list)
    for _, at_once in sorted(_by_time(points).items()):
        grown = {
            series: value
            for counters in series_of(at_once).values()
            for series, value in counters.items()
            if math.isfinite(value) and value >= 0
        }
        for name, count in counts(question, grown).items():
            pieces[name].append(count)
    return {name: tuple(found) for name, found in pieces.items()}


def _by_time(points: Iterable[Point]) -> dict[datetime, list[Point]]:
    found: dict[datetime, list[Point]] = defaultdict(list)
    for point in points:
        found[point.at].append(point)
    return found
