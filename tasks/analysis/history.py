"""What the old release counted before the rollout, where nothing runs beside the new one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from tasks.analysis.counting import counts, largest, ratio_count, series_of
from tasks.analysis.model import Count
from tasks.analysis.questions import Counted, Histogram, Number, Pods, Question, Ratio
from tasks.analysis.series import Series, sound
from tasks.analysis.stretches import piece_of
from tasks.core.prometheus import Prometheus, Span
from tasks.core.prometheus_answers import Point
from tasks.core.units import format_duration

__all__ = ["before", "span_before"]

Pieces = dict[str, dict[str, tuple[Count, ...]]]
"""Counts piece by piece, by the name of their samples and by component."""


def span_before(since: datetime, baseline: timedelta) -> Span:
    """Cut the time before a rollout into pieces."""
    piece = piece_of(baseline)
    return Span(since - baseline + piece, since, piece)


def before(question: Question, pods: Pods, prometheus: Prometheus, span: Span) -> Pieces:
    """Return what the old release counted.

    Raises:
        SlipwayError: Prometheus does not answer, or refuses a query.
    """
    if isinstance(question, Counted | Histogram):
        return _counters(question, pods, prometheus, span)
    found = {
        workload: tuple(_windows(question, pods, prometheus, (workload, span)))
        for workload in pods.workloads
    }
    return {question.name: {workload: counts for workload, counts in found.items() if counts}}


def _windows(
    question: Ratio | Number, pods: Pods, prometheus: Prometheus, where: tuple[str, Span]
) -> Iterator[Count]:
    workload, span = where
    pattern = pods.before(workload)
    match question:
        case Ratio():
            total, errors = (
                _by_time(prometheus.history(pods.counted(query, pattern, span.step), span))
                for query in question.queries
            )
            for at in sorted(total):
                count = ratio_count(question, total[at], errors.get(at, ()), span.step)
                if count is not None:
                    yield count
        case Number():
            narrowed = pods.narrowed(question.query, pattern, span.step)
            values = sorted(_by_time(prometheus.history(narrowed, span)).items())
            numbers = (largest(points) for _, points in values)
            yield from (Count(1.0, each) for each in numbers if each is not None)


def _counters(
    question: Counted | Histogram, pods: Pods, prometheus: Prometheus, span: Span
) -> Pieces:
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
    pieces: dict[str, dict[str, list[Count]]] = defaultdict(lambda: defaultdict(list))
    for _, at_once in sorted(_by_time(points).items()):
        for component, grown in _by_component(at_once, pods).items():
            for name, count in counts(question, grown).items():
                pieces[name][component].append(count)
    return {
        name: {component: tuple(found) for component, found in components.items()}
        for name, components in pieces.items()
    }


def _by_component(at_once: list[Point], pods: Pods) -> dict[str, dict[Series, float]]:
    found: dict[str, dict[Series, float]] = defaultdict(dict)
    for pod, counters in series_of(at_once).items():
        place = pods.place_of(pod)
        if place is not None:
            found[place.component] |= dict(sound(counters.items()))
    return found


def _by_time(points: Iterable[Point]) -> dict[datetime, list[Point]]:
    found: dict[datetime, list[Point]] = defaultdict(list)
    for point in points:
        found[point.at].append(point)
    return found
