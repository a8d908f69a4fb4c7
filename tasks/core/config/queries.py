"""Service level objectives: whether their PromQL can be read and their limits can be met."""

import re
from collections.abc import Iterator
from datetime import timedelta

import promql_parser

from tasks.core.config.problem import Finding, Path
from tasks.core.queries import PLACEHOLDER
from tasks.core.slos import Latency, Slos

__all__ = ["query_fault", "slo_findings"]

MAX_CHARACTERS = 10_000
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_WINDOWS = frozenset({"window", "period"})


def slo_findings(slos: Slos) -> Iterator[Finding]:
    """Queries and limits that could never be evaluated."""
    if slos.availability:
        path = ("slos", "availability")
        yield from _query(slos.availability.errors, (*path, "errors"))
        yield from _query(slos.availability.total, (*path, "total"))
        if slos.availability.errors.split() == slos.availability.total.split():
            yield Finding(
                (*path, "errors"),
                "is the same query as `total`, so that every request would be an error",
                "count only the failed requests here",
            )
    if slos.latency:
        yield from _latency(slos.latency, ("slos", "latency"))


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
    if latency.threshold >= timedelta(hours=1):
        yield Finding(
            (*path, "threshold"),
            "must be less than 1h: no histogram of requests reaches so far",
            "write the time within which users expect an answer, such as 1s",
        )
