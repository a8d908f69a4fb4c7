"""Whether the steps of a rollout lead anywhere."""

from collections.abc import Iterator, Mapping

from tasks.core.application import Application, Environment
from tasks.core.config.known import Known
from tasks.core.config.problem import Finding, Path
from tasks.core.strategy import Canary

__all__ = ["order_findings", "strategy_findings"]


def strategy_findings(environment: Environment, path: Path, known: Known) -> Iterator[Finding]:
    """Strategies of an environment and of single components that make no sense."""
    if environment.strategy.canary:
        steps = (*path, "strategy", "canary", "steps")
        yield from _steps(environment.strategy.canary, steps)
        yield from _gates(environment.strategy.canary, environment, steps)
    for name, strategy in environment.strategies.items():
        if name not in known.components:
            yield Finding(
                (*path, "strategies", name),
                f"{name} is no component of this application",
                f"name one of {', '.join(sorted(known.components)) or 'the components'}",
            )
        if strategy.canary:
            steps = (*path, "strategies", name, "canary", "steps")
            yield from _steps(strategy.canary, steps)
            yield from _gates(strategy.canary, environment, steps)


def order_findings(application: Application, known: Known) -> Iterator[Finding]:
    """Components that wait for one that there is not, or for one another."""
    order = {name: each.depends_on for name, each in application.components.items()}
    for name, needed in order.items():
        path: Path = ("components", name, "depends_on")
        for other in needed:
            if other not in known.components:
                yield Finding(
                    path,
                    f"{other} is no component of this application",
                    f"name one of {', '.join(sorted(known.components))}",
                )
        if name in _before(name, order):
            yield Finding(
                path,
                f"{name} depends on itself, by way of {', '.join(sorted(_before(name, order)))}",
                "leave one of them out: a component is ready before those that depend on it start",
            )


def _before(name: str, order: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Return every component that has to be ready before one."""
    found: set[str] = set()
    waiting = list(order.get(name, ()))
    while waiting:
        other = waiting.pop()
        if other not in found:
            found.add(other)
            waiting += order.get(other, ())
    return frozenset(found)


def _gates(canary: Canary, environment: Environment, path: Path) -> Iterator[Finding]:
    if environment.approval is None and any(step.gate for step in canary.ladder):
        yield Finding(
            path,
            "has a gate, and nobody is named who could open it",
            "name approvers under `approval` of the environment, or leave the gate out",
        )


def _steps(canary: Canary, path: Path) -> Iterator[Finding]:
    steps = [each.share for each in canary.ladder]
    shown = ", ".join(str(step) for step in steps)
    remedy = "write rising percentages up to 100, such as [5, 25, 50, 100]"
    if steps != sorted(set(steps)):
        yield Finding(path, f"must rise from step to step, got {shown}", remedy)
    if not steps or steps[-1] != 100:  # noqa: PLR2004 per cent
        yield Finding(path, f"must end at 100, got {shown or 'no step'}", remedy)
