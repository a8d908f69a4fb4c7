"""From what was read to counts, under the names of samples."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from tasks.analysis.model import Count
from tasks.analysis.questions import Counted, Histogram, Ratio, edge_name
from tasks.analysis.series import Selector, Series
from tasks.core.prometheus_answers import Point
from tasks.core.promql import is_per_second

__all__ = ["counts", "edge_of", "edge_within", "largest", "ratio_count", "series_of"]


def series_of(points: Iterable[Point]) -> dict[str, dict[Series, float]]:
    """Sort what Prometheus knows of counters by pod."""
    pods: dict[str, dict[Series, float]] = defaultdict(dict)
    for point in points:
        name = point.labels.get("__name__", "")
        labels = {key: value for key, value in point.labels.items() if key != "__name__"}
        pods[labels.get("pod", "")][Series.of(name, labels)] = point.value
    return dict(pods)


def counts(question: Counted | Histogram, grown: Mapping[Series, float]) -> dict[str, Count]:
    """Count what happened while counters grew; nothing where none of them was there."""
    match question:
        case Counted():
            return _counted(question, grown)
        case Histogram():
            return _slow(question, grown)


def ratio_count(
    question: Ratio, total: Iterable[Point], errors: Iterable[Point], window: timedelta
) -> Count | None:
    """Count a window from the answers to two queries; None where there is no total.

    Absent errors are 0 errors: the counter of errors begins with the first one.
    """
    events, bad = _sum(total), _sum(errors)
    if events is None:
        return None
    seconds = window.total_seconds()
    events *= seconds if is_per_second(question.total) else 1.0
    bad = (bad or 0.0) * (seconds if is_per_second(question.errors) else 1.0)
    return Count(events, min(bad, events))


def largest(points: Iterable[Point]) -> float | None:
    """Return the largest value that is a number, None where there is none."""
    return max((point.value for point in points if math.isfinite(point.value)), default=None)


def _sum(points: Iterable[Point]) -> float | None:
    values = [point.value for point in points if math.isfinite(point.value) and point.value >= 0]
    return sum(values) if values else None


def _counted(question: Counted, grown: Mapping[Series, float]) -> dict[str, Count]:
    total, errors = Selector.read(question.total), Selector.read(question.errors)
    events = [value for series, value in grown.items() if total.fits(series)]
    bad = sum(value for series, value in grown.items() if errors.fits(series))
    return {question.name: Count(sum(events), min(bad, sum(events)))} if events else {}


def _slow(question: Histogram, grown: Mapping[Series, float]) -> dict[str, Count]:
    """Count what lies above the threshold and, to compare, above each bucket's edge."""
    within: dict[float, float] = defaultdict(float)
    buckets = Selector.read(question.buckets)
    for series, value in grown.items():
        if buckets.fits(series):
            within[edge_of(dict(series.labels))] += value
    edges = sorted(edge for edge in within if math.isfinite(edge))
    edge = edge_within(question, edges)
    if math.inf not in within or edge is None:
        return {}
    total = within[math.inf]
    above = {edge: Count(total, max(0.0, total - within[edge])) for edge in edges}
    compared = {edge_name(question, f"{edge:g}s"): above[edge] for edge in edges}
    return {question.name: above[edge], **(compared if question.compare else {})}


def edge_of(labels: Mapping[str, str]) -> float:
    """Return the upper edge of a bucket, NaN where a series is none."""
    try:
        return float(labels.get("le", "nan"))
    except ValueError:
        return math.nan


def edge_within(question: Histogram, edges: Iterable[float]) -> float | None:
    """Return the largest edge that is within the threshold, None where there is none."""
    limit = question.threshold.total_seconds()
    return max((edge for edge in edges if edge <= limit), default=None)
