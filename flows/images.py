"""One image a component, side by side: what depends on nothing waits for nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prefect.futures import PrefectFuture

from flows.checks import MANIFESTS, Stages, begin_checks, require_passed
from flows.telling import await_stages
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
    """The release before its images are there, and the scan of its manifests.

    Attributes:
        flags: further ones of buildx, by component.
    """

    release: Release
    scanned: PrefectFuture[Any]
    flags: Mapping[str, tuple[str, ...]]


def make_images(
    source: Source,
    draft: Release,
    target: Target,
    flags: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[Delivered, ...]:
    """Bring every component into the registry and return them in the order of slipway.yaml.

    Nothing is pushed or released before the manifests have passed too.

    Args:
        source: the commit, with the components to be made.
        draft: the release before its images are there.
        target: the registry and the builders.
        flags: further ones of buildx, by component.

    Raises:
        SlipwayError: the only failure, or a StageFailed that tells all of them.
    """
    names = [component.name for component in source.components]
    manifests = scan_draft.submit(draft, source.application)
    known = {name: _find(source, name, target, draft) for name in names}
    missing = [name for name in names if known[name] is None]
    basis = _Draft(draft, manifests, flags or {})
    chains = {name: _start(source, name, target, basis) for name in missing}
    stages = {MANIFESTS: {"scan": manifests}}
    stages |= {name: each.stages for name, each in chains.items()}
    await_stages(stages, source, [name for name in names if known[name] is not None])
    require_passed(stages, source)
    return tuple(known[name] or chains[name].last.result() for name in names)


def _find(source: Source, name: str, target: Target, draft: Release) -> Delivered | None:
    """Return what an earlier run made of the same content, where the registry has it still."""
    delivered = find_delivered(source, name, target, draft)
    if delivered is None or not confirm_pushed(delivered.image, target):
        return None
    return delivered


def _start(source: Source, name: str, target: Target, draft: _Draft) -> _Chain:
    begun = begin_checks(source, name, target, draft.flags.get(name, ()))
    smoke: Any = smoke_image.submit(source, begun.image, target, draft.release)
    passed = [*begun.checks.values(), smoke, begun.scan, draft.scanned]
    pushed: Any = push_image.submit(source, begun.image, target, wait_for=passed)  # type: ignore[call-overload]
    last = keep_delivered.submit(source, pushed, begun.scan, target, draft.release)
    return _Chain({**begun.stages, "smoke": smoke, "push": pushed, "keep": last}, last)
