"""Placeholders in the PromQL of slipway.yaml."""

import re
from collections.abc import Mapping

__all__ = ["PLACEHOLDER", "placeholders", "resolve"]

PLACEHOLDER = re.compile(r"\$(?:\{([a-z_]+)\}|([a-z_]+))")
"""`$name` or `${name}`; the name is in one of the two groups."""


def placeholders(query: str) -> frozenset[str]:
    """Return the names that a query wants filled in."""
    return frozenset(found[1] or found[2] for found in PLACEHOLDER.finditer(query))


def resolve(query: str, values: Mapping[str, str]) -> str:
    """Fill in the placeholders that have a value; others stay as they are."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1] or found[2], found[0]), query)
