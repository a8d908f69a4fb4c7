"""One image a component, side by side: what depends on nothing waits for nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect.futures import PrefectFuture

from flows.telling import await_stages
from tasks.build.task import build_image
from tasks.core.errors import SlipwayError, StageFailed
from tasks.core.model import Release, Source
from tasks.core.target import Target
from tasks.lint.task import lint_component
from tasks.push.task import confirm_pushed, push_image
from tasks.reuse import Delivered
from tasks.reuse.task import find_delivered, keep_delivered
from tasks.scan.task import scan_draft, scan_image
from tasks.smoke.task import smoke_image
from tasks.test.task import test_component

__all__ = ["joined", "make_images"]

MANIFESTS = "the manifests"

_Stages = dict[str, PrefectFuture[Any]]


@dataclass(frozen=True, slots=True)
class _Chain:
    """The stages of one component; the last one hands over the finished image."""

    stages: _Stages
    last: PrefectFuture[Delivered]


@dataclass(frozen=True, slots=True)
class _Draft:
    """The release before its images are there, and the scan of its manifests."""

    release: Release
    scanned: PrefectFuture[Any]


def make_images(source: Source, draft: Release, target: Target) -> tuple[Delivered, ...]:
    """Bring every component into the registry and return them in the order of slipway.yaml.

    Nothing is pushed or released before the manifests have passed too.

    Raises:
        SlipwayError: the only failure, or a StageFailed that tells all of them.
    """
    names = [component.name for component in source.components]
    manifests = scan_draft.submit(draft, source.application)
    known = {name: _find(source, name, target, draft) for name in names}
    missing = [name for name in names if known[name] is None]
    chains = {name: _start(source, name, target, _Draft(draft, manifests)) for name in missing}
    stages = {MANIFESTS: {"scan": manifests}}
    stages |= {name: each.stages for name, each in chains.items()}
    await_stages(stages, source, [name for name in names if known[name] is not None])
    _require_passed(stages, source)
    return tuple(known[name] or chains[name].last.result() for name in names)


def _find(source: Source, name: str, target: Target, draft: Release) -> Delivered | None:
    """Return what an earlier run made of the same content, where the registry has it still."""
    delivered = find_delivered(source, name, target, draft)
    if delivered is None or not confirm_pushed(delivered.image, target):
        return None
    return delivered


def _start(source: Source, name: str, target: Target, draft: _Draft) -> _Chain:
    described = source.application.components[name]
    checks: _Stages = {}
    if described.lint is not None:
        checks["lint"] = lint_component.submit(source, name, target)
    if described.test is not None:
        checks["test"] = test_component.submit(source, name, target)
    image: Any = build_image.submit(source, name, target)
    smoke: Any = smoke_image.submit(source, image, target, draft.release)
    scan: Any = scan_image.submit(source, image)
    passed = [*checks.values(), smoke, scan, draft.scanned]
    pushed: Any = push_image.submit(source, image, target, wait_for=passed)  # type: ignore[call-overload]
    last = keep_delivered.submit(source, pushed, scan, target, draft.release)
    made = {"build": image, "smoke": smoke, "scan": scan, "push": pushed, "keep": last}
    return _Chain({**checks, **made}, last)


def _require_passed(stages: Mapping[str, _Stages], source: Source) -> None:
    failures = [
        (name, stage.state.result(raise_on_failure=False))
        for name, each in stages.items()
        for stage in each.values()
        if stage.state.is_failed()
    ]
    if failures:
        raise joined(failures, f"{source.application.application}@{source.commit[:12]}")


def joined(failures: Sequence[tuple[str, Exception]], where: str) -> Exception:
    """Return one error for the failures of all components; a single one speaks for itself."""
    if len(failures) == 1:
        return failures[0][1]
    reasons = [
        f"\n{name}: {error.what if isinstance(error, SlipwayError) else error}"
        for name, error in failures
    ]
    return StageFailed(
        f"{len(failures)} stages failed{''.join(dict.fromkeys(reasons))}",
        where=where,
        next_step="mend them and deliver the next commit; nothing was rolled out",
    )
