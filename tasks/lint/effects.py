"""Builds the target that lints; its success is the linter's."""

from collections.abc import Callable
from pathlib import Path

from tasks.core.buildkit import Build, dockerfile_of, run_build
from tasks.core.errors import StageFailed
from tasks.core.model import CheckResult, Source
from tasks.core.target import Builders

__all__ = ["lint"]


def lint(
    source: Source, component: str, target: Builders, log: Callable[[str], None]
) -> CheckResult:
    """Build the component's lint target.

    Raises:
        StageFailed: the linter found something.
        Unavailable: BuildKit or a base image's registry does not answer.
    """
    described = source.application.components[component]
    where = f"{source.application.application}/{component}"
    if described.lint is None:
        return CheckResult(component, "lint", "no lint target is configured, nothing was linted")
    build = Build(
        where=where,
        context=Path(source.tree) / described.context,
        dockerfile=dockerfile_of(source, component),
        target=described.lint.target,
        deadline=described.lint.deadline,
    )
    built = run_build(build, target, log)
    if built.failed is not None:
        lines = "\n".join(built.tail)
        raise StageFailed(
            f"lint found problems in `{built.failed.name}`:\n{lines}",
            where=where,
            next_step="correct them and push again",
        )
    return CheckResult(component, "lint", "lint found nothing", seconds=built.seconds)
