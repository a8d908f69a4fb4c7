"""What an indicator is judged from, component by component."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.analysis.looks import Strata, by_the_minute, newest, pooled, sides
from tasks.analysis.model import NOTHING, Count, Facts, Finding, Indicator, Look
from tasks.analysis.sequential import WHOLE, Before, Bounds, shared, worse
from tasks.core.model import Outcome

__all__ = ["HARMLESS", "Case", "Component", "Components", "too_little"]

HARMLESS = math.log(20)
"""Logarithm of the odds with which a release is let pass that might yet be bad."""


@dataclass(frozen=True, slots=True)
class Component:
    """What an indicator counted on one component.

    Attributes:
        past: what the old release counted, before the rollout and beside the new one.
        share: percent of the traffic that the new release has now.
        bet: evidence against the new release.
    """

    looks: tuple[Look, ...]
    past: tuple[Count, ...]
    share: int
    bet: float

    @property
    def fresh(self) -> tuple[Look, ...]:
        """The looks at the present share: no step is passed on the evidence of the one before."""
        return tuple(look for look in self.looks if look.share == self.share)

    @property
    def sides(self) -> tuple[Count, Count]:
        """What the new and the old release counted where they can be compared."""
        return sides(self.looks, self.past)


@dataclass(frozen=True, slots=True)
class Components:
    """What an indicator counted everywhere.

    Attributes:
        evidence: against the new release; its components share the money that is bet.
    """

    each: Mapping[str, Component]
    evidence: float

    @property
    def suspect(self) -> str:
        """The component with the most evidence against it."""
        return max(self.each, key=lambda name: self.each[name].bet)

    @property
    def looks(self) -> tuple[Look, ...]:
        """What users met, whichever component it was."""
        return pooled({name: each.looks for name, each in self.each.items()})

    @property
    def fresh(self) -> Count:
        """What the new release counted at the present share."""
        return sum((newest(each.fresh) for each in self.each.values()), NOTHING)


@dataclass(frozen=True, slots=True)
class Case:
    """What all indicators are judged from.

    Attributes:
        looks: by the name of the samples.
    """

    facts: Facts
    bounds: Bounds
    looks: Mapping[str, Strata]

    def components(self, name: str, parts: int = 1) -> Components:
        """Weigh the samples of a name; parts share the chance that the past misleads."""
        strata, before = self.looks.get(name, {}), self.facts.baselines.get(name, {})
        found = {
            component: self._component(looks, before.get(component, ()), parts)
            for component, looks in strata.items()
        }
        return self.joined(found)

    def joined(self, found: Mapping[str, Component]) -> Components:
        """Let components share the evidence."""
        return Components(found, shared([each.bet for each in found.values()], self.bounds.parts))

    def _component(self, looks: tuple[Look, ...], before: Sequence[Count], parts: int) -> Component:
        past = (*before, *by_the_minute(looks))
        is_needed = any(look.share == WHOLE for look in looks)
        bet = worse(looks, Before.of(past if is_needed else (), self.bounds.baseline / parts))
        return Component(looks, past, self.facts.share, bet)


def too_little(indicator: Indicator, seen: float, facts: Facts) -> Finding:
    """Say that there is no data yet."""
    what = f"{indicator.name}: {seen:g} events of the new release at {facts.share} % of the traffic"
    needed = f"{what}, {facts.judging.min_events} needed"
    return Finding(Outcome.NO_DATA, needed, shown=indicator.shown)
