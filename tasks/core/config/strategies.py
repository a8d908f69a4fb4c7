"""Whether the steps of a rollout lead anywhere."""

from collections.abc import Iterator

from tasks.core.application import Environment
from tasks.core.config.known import Known
from tasks.core.config.problem import Finding, Path
from tasks.core.strategy import Canary

__all__ = ["strategy_findings"]


def strategy_findings(environment: Environment, path: Path, known: Known) -> Iterator[Finding]:
    """Strategies of an environment and of single components that make no sense."""
    if environment.strategy.canary:
        yield from _steps(environment.strategy.canary, (*path, "strategy", "canary", "steps"))
    for name, strategy in environment.strategies.items():
        if name not in known.components:
            yield Finding(
                (*path, "strategies", name),
                f"{name} is no component of this application",
                f"name one of {', '.join(sorted(known.components)) or 'the components'}",
            )
        if strategy.canary:
            yield from _steps(strategy.canary, (*path, "strategies", name, "canary", "steps"))


def _steps(canary: Canary, path: Path) -> Iterator[Finding]:
    steps = [each.share for each in canary.ladder]
    shown = ", ".join(str(step) for step in steps)
    remedy = "write rising percentages up to 100, such as [5, 25, 50, 100]"
    if steps != sorted(set(steps)):
        yield Finding(path, f"must rise from step to step, got {shown}", remedy)
    if not steps or steps[-1] != 100:  # noqa: PLR2004 per cent
        yield Finding(path, f"must end at 100, got {shown or 'no step'}", remedy)
