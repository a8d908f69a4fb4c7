"""Service level objectives: whether their PromQL can be read and their limits can be met."""

import re
from collections.abc import Iterator
from datetime import timedelta

import promql_parser

from tasks.core.config.problem import Finding, Path
from tasks.core.queries import PLACEHOLDER
from tasks.core.slos import Availability, Custom, Latency, Saturation, Slos

__all__ = ["query_fault", "slo_findings"]

MAX_CHARACTERS = 10_000
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_NAMES = frozenset({"availability", "latency", "saturation"})
_WINDOWS = frozenset({"window", "period"})


def slo_findings(slos: Slos) -> Iterator[Finding]:
    """Queries and limits that could never be evaluated."""
    if slos.availability:
        yield from _ratio(slos.availability, ("slos", "availability"))
    if slos.latency:
        yield from _latency(slos.latency, ("slos", "latency"))
    if slos.saturation:
        yield from _query(slos.saturation.query, ("slos", "saturation", "query"))
    for name, custom in slos.custom.items():
        yield from _custom(name, custom, ("slos", "custom", name))


def _ratio(ratio: Availability, path: Path) -> Iterator[Finding]:
    yield from _query(ratio.errors, (*path, "errors"))
    yield from _query(ratio.total, (*path, "total"))
    if ratio.errors.split() == ratio.total.split():
        yield Finding(
            (*path, "errors"),
            "is the same query as `total`, so that every request would be an error",
            "count only the failed requests here",
        )


def _custom(name: str, custom: Custom, path: Path) -> Iterator[Finding]:
    if name in _NAMES:
        what = f"{name} is the name of an indicator that Slipway knows"
        yield Finding(path, what, "give it another name")
    match custom.indicator:
        case Availability() as ratio:
            yield from _ratio(ratio, path)
        case Saturation() as number:
            yield from _query(number.query, (*path, "query"))
        case None:
            yield Finding(
                path,
                "must have either objective, errors and total, or query and limit",
                "write the one or the other, whole",
            )


def _query(query: str, path: Path) -> Iterator[Finding]:
    fault = query_fault(query)
    if fault:
        remedy = "try the query in Prometheus; $namespace and $window are filled in by Slipway"
        yield Finding(path, f"is no valid PromQL: {fault}", remedy)


def query_fault(query: str) -> str:
    """Say why a query cannot be evaluated, or nothing where it can."""
    if len(query) > MAX_CHARACTERS:
        return "longer than 10,000 characters"
    try:
        parsed = promql_parser.parse(PLACEHOLDER.sub(_stand_in, query))
    except (ValueError, RecursionError) as error:
        return str(error)
    if isinstance(parsed, (promql_parser.StringLiteral, promql_parser.MatrixSelector)):
        return "a string or a range of samples, where a number for each series is needed"
    return ""


def _stand_in(placeholder: re.Match[str]) -> str:
    return "5m" if (placeholder[1] or placeholder[2]) in _WINDOWS else "x"


def _latency(latency: Latency, path: Path) -> Iterator[Finding]:
    name = latency.histogram
    if not _METRIC.fullmatch(name):
        labels = " without labels" if "{" in name else ""
        yield Finding(
            (*path, "histogram"),
            f"must be the name of a metric{labels}, got {name!r}",
            "write only the name, such as http_request_duration_seconds",
        )
    elif name.endswith(("_bucket", "_sum", "_count")):
        yield Finding(
            (*path, "histogram"),
            f"must be the histogram itself, not one of its series, got {name!r}",
            f"write {name.rsplit('_', 1)[0]}",
        )
    elif fault := query_fault(f"{name}{{{latency.selector}}}"):
        yield Finding(
            (*path, "selector"),
            f"holds no matchers of labels: {fault}",
            'write them as between the braces of a query, such as route=~"/api/.*"',
        )
    if latency.threshold >= timedelta(hours=1):
        yield Finding(
            (*path, "threshold"),
            "must be less than 1h: no histogram of requests reaches so far",
            "write the time within which users expect an answer, such as 1s",
        )
