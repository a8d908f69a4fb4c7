"""What a query counts, by its parsed form."""

import promql_parser
from promql_parser import Expr, VectorSelector

from tasks.core.queries import resolve

__all__ = ["counter_of", "is_per_second"]

_STAND_IN = {"window": "5m", "period": "28d"}
_COUNTING = frozenset({"rate", "increase"})


def counter_of(query: str) -> str | None:
    """Return the selector of the counter that a query adds up, None where it is anything else.

    That is a plain selector itself, or `sum(rate(SELECTOR[$window]))`, or the same of increase.
    Placeholders in the selector stay as they are.
    """
    parsed: Expr | None = _parsed(query)
    if isinstance(parsed, promql_parser.AggregateExpr):
        parsed = _summand(parsed)
    if not isinstance(parsed, VectorSelector) or parsed.offset or parsed.at:
        return None
    return None if parsed.matchers.or_matchers else str(parsed.prettify())


def is_per_second(query: str) -> bool:
    """Say whether a query counts per second, as `rate` does, and not in events."""
    found: list[str] = []

    def look(node: Expr) -> bool:
        if isinstance(node, promql_parser.Call):
            found.append(node.func.name)
        return True

    promql_parser.walk(_parsed(query), pre_visit=look)
    return not {"rate", "irate", "deriv"}.isdisjoint(found)


def _summand(aggregate: promql_parser.AggregateExpr) -> Expr | None:
    """Return what `sum(rate(x[w]))` adds up, None where it is another aggregation."""
    call = aggregate.expr
    plain = str(aggregate.op) == "sum" and aggregate.modifier is None
    if not plain or not isinstance(call, promql_parser.Call) or call.func.name not in _COUNTING:
        return None
    matrix = call.args[0]
    return matrix.vector_selector if isinstance(matrix, promql_parser.MatrixSelector) else None


def _parsed(query: str) -> Expr:
    parsed: Expr = promql_parser.parse(resolve(query, _STAND_IN))
    return parsed
