"""PromQL of slipway.yaml: placeholders filled in, selectors counted and narrowed to some pods."""

import re
from collections.abc import Mapping

import promql_parser

__all__ = ["PLACEHOLDER", "events", "narrow", "placeholders", "resolve"]

PLACEHOLDER = re.compile(r"\$(?:\{([a-z_]+)\}|([a-z_]+))")
"""`$name` or `${name}`; the name is in one of the two groups."""
_METRIC = re.compile(r"[a-zA-Z0-9_:]*")


def placeholders(query: str) -> frozenset[str]:
    """Return the names that a query wants filled in."""
    return frozenset(found[1] or found[2] for found in PLACEHOLDER.finditer(query))


def resolve(query: str, values: Mapping[str, str]) -> str:
    """Fill in the placeholders that have a value; others stay as they are."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1] or found[2], found[0]), query)


def events(query: str, values: Mapping[str, str]) -> str:
    """Return the query for the number of events in `window`.

    A plain selector of a counter, such as `http_requests_total{status=~"5.."}`, is counted in
    `namespace`; any other query is only filled in.

    Args:
        query: as slipway.yaml has it.
        values: at least `namespace` and `window`.

    Raises:
        ValueError: the query cannot be read.
    """
    filled = resolve(query, values).strip()
    selector = promql_parser.parse(filled)
    if not isinstance(selector, promql_parser.VectorSelector):
        return filled
    if "namespace" not in {matcher.name for matcher in selector.matchers.matchers}:
        filled = _with_matcher(filled, f'namespace="{values["namespace"]}"')
    return f"sum(increase({filled}[{values['window']}]))"


def narrow(query: str, matcher: str) -> str:
    """Add a matcher, such as `pod=~"shop-.*"`, to every selector of a filled-in query.

    Raises:
        ValueError: the query cannot be read, or joins matchers by `or`.
    """

    def narrowed(node: promql_parser.Expr) -> promql_parser.Expr | None:
        if not isinstance(node, promql_parser.VectorSelector):
            return None
        if node.matchers.or_matchers:
            raise ValueError("matchers joined by `or` cannot be narrowed")
        return promql_parser.parse(_with_matcher(node.prettify(), matcher))

    return str(promql_parser.transform(promql_parser.parse(query), narrowed).prettify())


def _with_matcher(selector: str, matcher: str) -> str:
    name = _METRIC.match(selector)
    end = name.end() if name else 0
    rest = selector[end:].lstrip()
    if not rest.startswith("{"):
        return f"{selector[:end]}{{{matcher}}}{selector[end:]}"
    inside = rest[1:].lstrip()
    comma = "" if inside.startswith("}") else ","
    return f"{selector[:end]}{{{matcher}{comma}{inside}"
