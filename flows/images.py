"""One image a component, side by side: what depends on nothing waits for nothing."""

from dataclasses import dataclass
from typing import Any

from prefect.futures import PrefectFuture, wait

from flows.checks import MANIFESTS, Stages, begin_checks, require_passed
from tasks.core.model import Release, Source
from tasks.core.target import Target
from tasks.push.task import confirm_pushed, push_image
from tasks.reuse import Delivered
from tasks.reuse.task import find_delivered, keep_delivered
from tasks.scan.task import scan_draft
from tasks.smoke.task import smoke_image

__all__ = ["make_images"]


@dataclass(frozen=True, slots=True)
class _Chain:
    """The stages of one component; the last one hands over the finished image."""

    stages: Stages
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
    stages = {MANIFESTS: (manifests,), **{name: each.stages for name, each in chains.items()}}
    wait([stage for each in stages.values() for stage in each])
    require_passed(stages, source)
    return tuple(known[name] or chains[name].last.result() for name in names)


def _find(source: Source, name: str, target: Target, draft: Release) -> Delivered | None:
    """Return what an earlier run made of the same content, where the registry has it still."""
    delivered = find_delivered(source, name, target, draft)
    if delivered is None or not confirm_pushed(delivered.image, target):
        return None
    return delivered


def _start(source: Source, name: str, target: Target, draft: _Draft) -> _Chain:
    begun = begin_checks(source, name, target)
    smoke: Any = smoke_image.submit(source, begun.image, target, draft.release)
    passed = [*begun.checks, smoke, begun.scan, draft.scanned]
    pushed: Any = push_image.submit(source, begun.image, target, wait_for=passed)  # type: ignore[call-overload]
    last = keep_delivered.submit(source, pushed, begun.scan, target, draft.release)
    return _Chain((*begun.stages, smoke, pushed, last), last)
