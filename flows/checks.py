"""What is asked of every component before its image goes anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect.futures import PrefectFuture

from flows.telling import await_stages
from tasks.build.task import build_image
from tasks.core.errors import SlipwayError, StageFailed
from tasks.core.model import Image, Release, Source
from tasks.core.target import Builders, Workshop
from tasks.lint.task import lint_component
from tasks.reuse.task import find_checked, keep_checked
from tasks.scan.task import scan_draft, scan_image
from tasks.test.task import test_component

__all__ = [
    "MANIFESTS",
    "Begun",
    "Stages",
    "begin_checks",
    "check_images",
    "joined",
    "require_passed",
    "unchecked",
]

MANIFESTS = "the manifests"

Stages = dict[str, PrefectFuture[Any]]


@dataclass(frozen=True, slots=True)
class Begun:
    """The stages of one component that need nobody else's yes."""

    checks: Stages
    image: Any
    scan: Any

    @property
    def stages(self) -> Stages:
        """All of them."""
        return {**self.checks, "build": self.image, "scan": self.scan}


def begin_checks(
    source: Source, name: str, builders: Builders, flags: tuple[str, ...] = ()
) -> Begun:
    """Start lint, test, build and scan of one component; flags are further ones of buildx."""
    described = source.application.components[name]
    checks: Stages = {}
    if described.lint is not None:
        checks["lint"] = lint_component.submit(source, name, builders)
    if described.test is not None:
        checks["test"] = test_component.submit(source, name, builders)
    image: Any = build_image.submit(source, name, builders, flags)
    return Begun(checks, image, scan_image.submit(source, image))


def unchecked(source: Source) -> tuple[str, ...]:
    """Return the components whose content has not passed all of it before."""
    names = [each.name for each in source.components]
    return tuple(name for name in names if not find_checked(source, name))


def check_images(
    source: Source, draft: Release, workshop: Workshop, names: Sequence[str]
) -> tuple[Image, ...]:
    """Lint, test, build and scan components side by side, and scan the manifests.

    Raises:
        SlipwayError: the only failure, or a StageFailed that tells all of them.
    """
    manifests = scan_draft.submit(draft, source.application)
    begun = {name: begin_checks(source, name, workshop) for name in names}
    kept = {name: _keep(source, each) for name, each in begun.items()}
    stages = {name: {**each.stages, "keep": kept[name]} for name, each in begun.items()}
    stages = {MANIFESTS: {"scan": manifests}, **stages}
    known = [each.name for each in source.components if each.name not in names]
    await_stages(stages, source, known)
    require_passed(stages, source)
    return tuple(each.image.result() for each in begun.values())


def _keep(source: Source, begun: Begun) -> PrefectFuture[Any]:
    kept: Any = keep_checked
    future: PrefectFuture[Any] = kept.submit(source, begun.scan, wait_for=[*begun.stages.values()])
    return future


def require_passed(stages: Mapping[str, Stages], source: Source) -> None:
    """See that every stage of every component has passed.

    Raises:
        SlipwayError: the only failure, or a StageFailed that tells all of them.
    """
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
