"""The shares that a release climbs by."""

from tasks.core.application import Environment
from tasks.core.strategy import Canary, CanaryStep, Strategy, Testers
from tasks.rollout.twins import Twins

__all__ = ["ladder_of", "overruled_testers"]

ALL = 100


def ladder_of(environment: Environment, twins: Twins) -> Canary:
    """Return the one ladder that all components climb together.

    It has every share that the strategy of one of them names, and the longest of their times.
    """
    canaries = _canaries(environment, twins)
    steps: dict[int, CanaryStep] = {}
    for step in (step for canary in canaries for step in canary.ladder):
        steps[step.share] = _stricter(steps.get(step.share, step), step)
    steps.setdefault(ALL, CanaryStep(ALL))
    return Canary(
        steps=tuple(steps[share] for share in sorted(steps)),
        bake=max(canary.bake for canary in canaries),
        deadline=max(canary.deadline for canary in canaries),
        standby=all(canary.standby for canary in canaries),
        testers=canaries[0].testers,
    )


def overruled_testers(environment: Environment, twins: Twins) -> tuple[Testers, ...]:
    """Return what components name for their testers and does not count: all are let in alike."""
    named = dict.fromkeys(canary.testers for canary in _canaries(environment, twins))
    return tuple(named)[1:]


def _canaries(environment: Environment, twins: Twins) -> tuple[Canary, ...]:
    """Return the strategies that count, the environment's own first, then by component.

    Every process that goes on with a rollout has to find the same order.
    """
    components = {twin.component for twin in twins.workloads}
    components |= {part.component for part in twins.parts}
    own = environment.strategy
    strategies = [environment.strategies.get(each, own) for each in sorted(components)]
    ordered = dict.fromkeys(sorted(strategies, key=lambda each: each != own))
    return tuple(each for each in map(_as_canary, ordered) if each is not None)


def _as_canary(strategy: Strategy) -> Canary | None:
    green = strategy.blueGreen
    if green is None:
        return strategy.canary
    return Canary((ALL,), green.bake, green.deadline, green.standby, green.testers)


def _stricter(one: CanaryStep, other: CanaryStep) -> CanaryStep:
    waits = [each.wait for each in (one, other) if each.wait is not None]
    return CanaryStep(one.share, max(waits, default=None), one.gate or other.gate)
