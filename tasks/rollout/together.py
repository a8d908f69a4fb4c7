"""What the strategies of components that are rolled out together come to: the most patient one."""

from collections.abc import Iterable
from datetime import timedelta

from tasks.core.application import Environment
from tasks.core.model import Release
from tasks.core.objects import Object
from tasks.core.strategy import Rolling, Strategy
from tasks.rollout.components import component_of

__all__ = ["bake_for", "deadline_for"]


def deadline_for(
    workloads: Iterable[Object], release: Release, environment: Environment
) -> timedelta:
    """Return how long workloads may take to become ready."""
    strategies = [_strategy_of(each, release, environment) for each in workloads]
    return max(map(_deadline_of, strategies), default=_deadline_of(environment.strategy))


def bake_for(
    workloads: Iterable[Object], release: Release, environment: Environment
) -> timedelta | None:
    """Return how long workloads that were changed in place are watched; None for not at all.

    One that should have been tried beside the live one, and could not be, is watched as the
    environment's own strategy says.
    """
    own = environment.strategy.rolling
    rolling = [_strategy_of(each, release, environment).rolling or own for each in workloads]
    return max(filter(None, map(_bake_of, rolling or [own])), default=None)


def _strategy_of(workload: Object, release: Release, environment: Environment) -> Strategy:
    component = component_of(workload, release)
    return environment.strategies.get(component or "", environment.strategy)


def _deadline_of(strategy: Strategy) -> timedelta:
    way = strategy.rolling or strategy.canary or strategy.blueGreen
    return way.deadline if way else timedelta(minutes=10)


def _bake_of(rolling: Rolling | None) -> timedelta | None:
    return rolling.bake if rolling else None
