"""Counters as the pods keep them: which belong to a query, and by how much they have grown."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import promql_parser
from promql_parser import MatchOp, VectorSelector

__all__ = ["Counters", "Selector", "Series", "grown", "sound"]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a pod's metrics: its name and its labels, sorted."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, name: str, labels: Mapping[str, str]) -> "Series":
        """Sort the labels, so that the same series is the same."""
        return cls(name, tuple(sorted(labels.items())))


Counters = Mapping[Series, float]


@dataclass(frozen=True, slots=True)
class _Matcher:
    label: str
    pattern: re.Pattern[str]
    wanted: bool

    def fits(self, labels: Mapping[str, str]) -> bool:
        return bool(self.pattern.fullmatch(labels.get(self.label, ""))) is self.wanted


@dataclass(frozen=True, slots=True)
class Selector:
    """A plain selector of PromQL, which can be applied to a pod's own metrics."""

    name: str
    matchers: tuple[_Matcher, ...]

    @classmethod
    def read(cls, text: str) -> "Selector":
        """Read a selector.

        Raises:
            ValueError: it is none, names no metric, or has an expression that Python cannot read.
        """
        parsed = promql_parser.parse(text)
        if not isinstance(parsed, VectorSelector) or parsed.name is None:
            raise ValueError(f"must name a metric, got {text}")
        try:
            return cls(parsed.name, tuple(map(_matcher, parsed.matchers.matchers)))
        except re.error as error:
            raise ValueError(f"cannot be read: {error}") from error

    def fits(self, series: Series) -> bool:
        """Say whether it selects a series; a label that is absent is an empty one."""
        if series.name != self.name:
            return False
        labels = dict(series.labels)
        return all(matcher.fits(labels) for matcher in self.matchers)


def _matcher(matcher: promql_parser.Matcher) -> _Matcher:
    plain = matcher.op in (MatchOp.Equal, MatchOp.NotEqual)
    pattern = re.compile(re.escape(matcher.value) if plain else matcher.value, re.DOTALL)
    return _Matcher(matcher.name, pattern, wanted=matcher.op in (MatchOp.Equal, MatchOp.Re))


def grown(before: Counters | None, now: Counters) -> dict[Series, float]:
    """Return how much each counter has grown since it was read before.

    Args:
        before: None where the pod was never read: then nothing has grown yet. A series that is
            new on a pod that was read began at 0, as an error's counter does; one that is
            smaller than before began at 0 too, in a process that was started again.
        now: as it was read.
    """
    if before is None:
        return {}
    return {
        series: value - (before.get(series, 0.0) if value >= before.get(series, 0.0) else 0.0)
        for series, value in sound(now.items())
    }


def sound(values: Iterable[tuple[Series, float]]) -> Iterable[tuple[Series, float]]:
    """Leave out what no counter can be: not a number, infinite, negative."""
    return ((series, value) for series, value in values if math.isfinite(value) and value >= 0)
