"""A distribution: it may not be clearly worse than the old release's, objective or not."""

from collections.abc import Mapping
from dataclasses import replace

from tasks.analysis.case import HARMLESS, Case, Component, Components, too_little
from tasks.analysis.looks import newest
from tasks.analysis.model import Finding, Indicator, Shift
from tasks.analysis.sequential import average, harmless_shift
from tasks.analysis.words import compared, odds, subject
from tasks.core.model import Outcome

__all__ = ["judge_shift"]

CLEAR_SHIFT = 0.1
"""Of all requests, so many more above an edge of the histogram are a clearly worse distribution."""
ENOUGH = 200
"""After so many requests a distribution that does not look clearly worse may pass: a canary is
not held for ever by a shift of some points, nor by having little traffic."""

Edges = Mapping[str, Components]


def judge_shift(indicator: Indicator, goal: Shift, case: Case) -> Finding:
    """Average the bets over all edges, component by component."""
    edges = {edge: case.components(edge, len(goal.edges)) for edge in goal.edges}
    seen = max((found.fresh.total for found in edges.values()), default=0.0)
    if seen < case.facts.judging.min_events:
        return too_little(indicator, seen, case.facts)
    found = case.joined(_averaged(edges))
    edge = _worst_edge(edges, found.suspect)
    worst = edges[edge].each[found.suspect]
    points = _points(worst)
    sentence = (
        f"{subject(edge, found.suspect, found.each)}: {compared(worst.looks, worst.past)}:"
        f" {100 * points:.1f} points more (limit {100 * CLEAR_SHIFT:.0f}),"
        f" {odds(found.evidence, case.bounds.evidence)}"
    )
    is_clear = points > CLEAR_SHIFT
    if is_clear and found.evidence >= case.bounds.evidence:
        return Finding(Outcome.FAILED, sentence, decided=True, shown=indicator.shown)
    speaks_against = is_clear and found.evidence > 0
    decided = not speaks_against and (seen >= ENOUGH or _is_harmless(edges))
    return Finding(Outcome.PASSED, sentence, decided, indicator.shown)


def _averaged(edges: Edges) -> dict[str, Component]:
    """Give each component the average of its bets at all the edges that it has."""
    at_edges: dict[str, list[Component]] = {}
    for found in edges.values():
        for name, component in found.each.items():
            at_edges.setdefault(name, []).append(component)
    return {
        name: replace(found[0], bet=average([each.bet for each in found]))
        for name, found in at_edges.items()
    }


def _worst_edge(edges: Edges, component: str) -> str:
    here = [edge for edge, found in edges.items() if component in found.each]
    return max(here, key=lambda edge: _points(edges[edge].each[component]))


def _points(component: Component) -> float:
    """Return how much larger the new release's part above an edge is than the old one's."""
    new, old = component.sides
    return new.rate - old.rate if old.total > 0 else 0.0


def _is_harmless(edges: Edges) -> bool:
    """Say whether surely no component has a clear shift at any edge."""
    return all(
        harmless_shift(newest(each.fresh), each.sides[1], CLEAR_SHIFT) >= HARMLESS
        for found in edges.values()
        for each in found.each.values()
    )
