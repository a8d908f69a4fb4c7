"""The shares that a release climbs by."""

from tasks.core.application import Environment
from tasks.core.strategy import Canary, CanaryStep, Strategy
from tasks.rollout.twins import Twins

__all__ = ["ladder_of"]

ALL = 100


def ladder_of(environment: Environment, twins: Twins) -> Canary:
    """Return the one ladder that all components climb together.

    It has every share that the strategy of one of them names, and the longest of their times.
    """
    components = [twin.component for twin in twins.workloads]
    components += [part.component for part in twins.parts]
    strategies = {environment.strategies.get(each, environment.strategy) for each in components}
    canaries = [each for each in map(_as_canary, strategies) if each is not None]
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


def _as_canary(strategy: Strategy) -> Canary | None:
    green = strategy.blueGreen
    if green is None:
        return strategy.canary
    return Canary((ALL,), green.bake, green.deadline, green.standby, green.testers)


def _stricter(one: CanaryStep, other: CanaryStep) -> CanaryStep:
    waits = [each.wait for each in (one, other) if each.wait is not None]
    return CanaryStep(one.share, max(waits, default=None), one.gate or other.gate)
