"""One image a component, side by side: what depends on nothing waits for nothing."""

from dataclasses import dataclass
from typing import Any

from prefect.futures import PrefectFuture, wait

from tasks.build.task import build_image
from tasks.core.errors import StageFailed
from tasks.core.model import Source, Target
from tasks.lint.task import lint_component
from tasks.push.task import confirm_pushed, push_image
from tasks.reuse import Delivered
from tasks.reuse.task import find_delivered, keep_delivered
from tasks.scan.task import scan_image
from tasks.smoke.task import smoke_image
from tasks.test.task import test_component

__all__ = ["make_images"]


@dataclass(frozen=True, slots=True)
class _Chain:
    """The stages of one component; the last one hands over the finished image."""

    stages: tuple[PrefectFuture[Any], ...]
    last: PrefectFuture[Delivered]


def make_images(source: Source, target: Target) -> tuple[Delivered, ...]:
    """Bring every component into the registry and return them in the order of slipway.yaml.

    Raises:
        StageFailed: the first reason of each component that did not get there.
    """
    names = [component.name for component in source.components]
    known = {name: _find(source, name, target) for name in names}
    chains = {name: _start(source, name, target) for name in names if known[name] is None}
    wait([stage for chain in chains.values() for stage in chain.stages])
    _require_passed(chains, source)
    return tuple(known[name] or chains[name].last.result() for name in names)


def _find(source: Source, name: str, target: Target) -> Delivered | None:
    """Return what an earlier run made of the same content, where the registry has it still."""
    delivered = find_delivered(source, name, target)
    if delivered is None or not confirm_pushed(delivered.image, target):
        return None
    return delivered


def _start(source: Source, name: str, target: Target) -> _Chain:
    described = source.application.components[name]
    checks: list[PrefectFuture[Any]] = []
    if described.lint is not None:
        checks.append(lint_component.submit(source, name, target))
    if described.test is not None:
        checks.append(test_component.submit(source, name, target))
    image: Any = build_image.submit(source, name, target)  # a future stands for its result
    smoke: Any = smoke_image.submit(source, image, target)
    scan: Any = scan_image.submit(source, image)
    pushed: Any = push_image.submit(source, image, target, wait_for=[*checks, smoke, scan])  # type: ignore[call-overload]
    last = keep_delivered.submit(source, pushed, scan, target)
    return _Chain((*checks, image, smoke, scan, pushed, last), last)


def _require_passed(chains: dict[str, _Chain], source: Source) -> None:
    """Say of every component what stopped it, not only of the first."""
    reasons = [
        f"{name}: {reason}"
        for name, chain in chains.items()
        for reason in dict.fromkeys(_reasons(chain))
    ]
    if reasons:
        raise StageFailed(
            "; ".join(reasons),
            where=f"{source.application.application}@{source.commit[:12]}",
            next_step="mend it and deliver the next commit; nothing was rolled out",
        )


def _reasons(chain: _Chain) -> list[str]:
    failed = [stage.state for stage in chain.stages if stage.state.is_failed()]
    return [str(state.result(raise_on_failure=False)) for state in failed]
