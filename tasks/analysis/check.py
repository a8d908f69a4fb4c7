"""Trying every query of slipway.yaml, and what to do about what comes back."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tasks.analysis.counting import counts, edge_of, edge_within
from tasks.analysis.questions import (
    Counted,
    Histogram,
    Pods,
    Question,
    sent,
)
from tasks.analysis.scrape import Scraped
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.prometheus import Prometheus
from tasks.core.prometheus_answers import Point
from tasks.core.tracks import TRACKS, Track

__all__ = ["Answered", "Mark", "check", "pods_that_show"]

ANYBODY = ".*"


class Mark(StrEnum):
    """How an answer is to be taken; only WRONG has to be put right."""

    GOOD = "good"
    EMPTY = "empty"
    WRONG = "wrong"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back for one query.

    Attributes:
        key: of slipway.yaml, below the indicator.
        what: values, or what is wrong.
        remedy: what to do, empty where there is nothing to do.
    """

    indicator: str
    track: Track
    key: str
    query: str
    mark: Mark
    what: str
    remedy: str = ""


def check(asked: tuple[Question, ...], pods: Pods, prometheus: Prometheus) -> Iterator[Answered]:
    """Ask every query for each release's pods."""
    for question in asked:
        for track in TRACKS:
            pattern = pods.stable if track == "stable" else pods.canary
            for key, query in sent(question, pods, pattern):
                mark, what, remedy = _found(question, pods, prometheus, (track, key, query))
                yield Answered(question.name, track, key, query, mark, what, remedy)


def pods_that_show(question: Counted | Histogram, scraped: Scraped) -> int:
    """Return on how many pods an indicator can be counted directly."""
    return sum(bool(counts(question, counters)) for counters in scraped.pods.values())


def _found(
    question: Question, pods: Pods, prometheus: Prometheus, asked: tuple[Track, str, str]
) -> tuple[Mark, str, str]:
    track, key, query = asked
    try:
        points = prometheus.instant(query)
        if points:
            return _judged(question, points)
        if track == "canary":
            return Mark.EMPTY, "nothing, as it should be while there is no canary", ""
        if key == "errors":
            return Mark.EMPTY, "nothing: no errors so far, which counts as 0", ""
        return _missing(question, key, pods, prometheus)
    except ConfigError as error:
        return Mark.WRONG, error.what, error.next_step
    except Unavailable as error:
        return Mark.UNAVAILABLE, error.what, error.next_step


def _judged(question: Question, points: tuple[Point, ...]) -> tuple[Mark, str, str]:
    numbers = [point.value for point in points if math.isfinite(point.value)]
    if not numbers:
        what = f"{points[0].value}, which counts as no data"
        return Mark.EMPTY, what, "have the query divide by something that is never 0"
    series = f"{len(points)} series" if len(points) > 1 else "1 series"
    if isinstance(question, Histogram):
        return _bucketed(question, points, series)
    if isinstance(question, Counted):
        return Mark.GOOD, f"{series}, {sum(numbers):g} in all", ""
    return (
        Mark.GOOD,
        f"{max(numbers):g}" + (f" at most, of {series}" if series[0] != "1" else ""),
        "",
    )


def _bucketed(question: Histogram, points: tuple[Point, ...], series: str) -> tuple[Mark, str, str]:
    threshold = question.threshold.total_seconds()
    edges = sorted({each for each in map(_edge, points) if math.isfinite(each)})
    shown = ", ".join(f"{each:g}" for each in edges) or "none"
    edge = edge_within(question, edges)
    if edge is None:
        what = f"no bucket ends within {threshold:g} s (edges: {shown})"
        return Mark.WRONG, what, "give the histogram a bucket that ends at the threshold"
    if edge < threshold:
        what = f"{series}; slow is what takes longer than {edge:g} s, since no bucket ends at"
        return Mark.GOOD, f"{what} {threshold:g} s (edges: {shown})", ""
    return Mark.GOOD, f"{series} (edges: {shown})", ""


def _edge(point: Point) -> float:
    return edge_of(point.labels)


def _missing(
    question: Question, key: str, pods: Pods, prometheus: Prometheus
) -> tuple[Mark, str, str]:
    """Find out why the pods that run have no series."""
    anywhere = prometheus.instant(dict(sent(question, pods, ANYBODY))[key])
    if anywhere:
        what = f"nothing of these pods, but {len(anywhere)} series in {pods.namespace}"
        return Mark.WRONG, what, "let Prometheus label series with `pod`, or use $pods in the query"
    what = f"nothing in {pods.namespace}"
    return Mark.WRONG, what, "send a request; then check the metric's name and who scrapes the pods"
