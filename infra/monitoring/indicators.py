"""How far an objective is missed, as one PromQL ratio over a window."""

import re
from collections.abc import Mapping
from datetime import timedelta

from tasks.core.promql import is_per_second
from tasks.core.queries import events, narrow, placeholders, resolve
from tasks.core.slos import Availability, Latency, Saturation, Slos
from tasks.core.units import format_duration

__all__ = ["Objective", "bad_ratio", "event_count", "objectives", "over_limit"]

Objective = Availability | Latency
_SATURATION_WINDOW = timedelta(minutes=5)


def objectives(slos: Slos) -> dict[str, Objective]:
    """Return the objectives with an error budget, by name."""
    goals = slos.goals.items()
    return {name: goal for name, goal in goals if not isinstance(goal, Saturation)}


def over_limit(saturation: Saturation, namespace: str) -> str:
    """Return the query that has a result while a number is over its limit."""
    filled = resolve(saturation.query, _values(namespace, _SATURATION_WINDOW)).strip()
    if "namespace" not in placeholders(saturation.query):
        filled = narrow(filled, f'namespace="{namespace}"')
    return f"max({filled}) > {saturation.limit:g}"


def bad_ratio(objective: Objective, namespace: str, window: timedelta) -> str:
    """Return the query for the share of bad events in a namespace, 0 to 1.

    It has no result where there were no events.
    """
    values = _values(namespace, window)
    match objective:
        case Availability():
            return _failed(*_alike(objective, values, window))
        case Latency():
            return resolve(_slow(objective), values)


def event_count(objective: Objective, namespace: str, window: timedelta) -> str:
    """Return the query for how many events an objective is about."""
    values = _values(namespace, window)
    match objective:
        case Availability():
            counted = f"sum({events(objective.total, values)})"
            seconds = f" * {window.total_seconds():g}" if is_per_second(objective.total) else ""
            return f"{counted}{seconds}"
        case Latency():
            counted = f"{objective.histogram}_count{{{objective.selector}}}"
            return f"sum({events(counted, values)})"


def _values(namespace: str, window: timedelta) -> dict[str, str]:
    return {"namespace": namespace, "window": format_duration(window), "pods": ".+"}


def _alike(
    objective: Availability, values: Mapping[str, str], window: timedelta
) -> tuple[str, str]:
    """Return both queries in one unit: events, or events a second where one of them has those."""
    queries = (objective.errors, objective.total)
    rated = [is_per_second(query) for query in queries]
    errors, total = (
        f"({events(query, values)}) / {window.total_seconds():g}"
        if any(rated) and not is_rated
        else events(query, values)
        for query, is_rated in zip(queries, rated, strict=True)
    )
    return errors, total


def _failed(errors: str, total: str) -> str:
    """A counter of failures that does not exist yet is a 0."""
    return f"(sum({errors}) or 0 * sum({total}))\n/ (sum({total}) > 0)"


def _slow(latency: Latency) -> str:
    """Nothing where no bucket ends at the threshold; some libraries write 1 there, others 1.0."""
    seconds = f"{latency.threshold.total_seconds():g}"
    bound = re.escape(seconds) + ("" if "." in seconds else r"(\.0)?")
    within = _rate(latency, "bucket", 'le=~"' + bound.replace("\\", "\\\\") + '"')
    return f"1 - {within}\n/ ({_rate(latency, 'count')} > 0)"


def _rate(latency: Latency, suffix: str, *matchers: str) -> str:
    chosen = (latency.selector,) if latency.selector else ()
    inside = ",".join(('namespace="$namespace"', *chosen, *matchers))
    return f"sum(rate({latency.histogram}_{suffix}{{{inside}}}[$window]))"
