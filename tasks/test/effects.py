"""Builds the target that tests, takes its JUnit report out and judges it."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.core.application import TestTarget
from tasks.core.buildkit import Build, Built, dockerfile_of, run_build, scratch_folder
from tasks.core.errors import StageFailed
from tasks.core.model import CheckResult, Outcome, Source
from tasks.core.target import Builders
from tasks.test.decide import REPORT_STAGE, judge, parse_report, with_report_stage
from tasks.test.model import Report

__all__ = ["test"]

SHOWN_TESTS = 10


@dataclass(frozen=True, slots=True)
class _Run:
    """A component's tests, ready to be run."""

    component: str
    build: Build
    target: Builders
    log: Callable[[str], None]


def test(
    source: Source, component: str, target: Builders, log: Callable[[str], None]
) -> CheckResult:
    """Build the component's test target and judge what it reports.

    Raises:
        StageFailed: tests failed, none ran, or there is no report where one was promised.
        Unavailable: BuildKit or a base image's registry does not answer.
    """
    described = source.application.components[component]
    if described.test is None:
        return CheckResult(component, "test", "no test target is configured, nothing was tested")
    build = Build(
        where=f"{source.application.application}/{component}",
        context=Path(source.tree) / described.context,
        dockerfile=dockerfile_of(source, component),
        target=described.test.target,
        deadline=described.test.deadline,
    )
    run = _Run(component, build, target, log)
    if described.test.report is None:
        return _judge_by_status(run)
    return _judge_by_report(run, described.test, described.test.report)


def _judge_by_status(run: _Run) -> CheckResult:
    built = run_build(run.build, run.target, run.log)
    _require_end(run.build, built)
    return CheckResult(run.component, "test", "the tests passed", seconds=built.seconds)


def _judge_by_report(run: _Run, tested: TestTarget, path: str) -> CheckResult:
    report, built = _run_with_report(run, tested.target, path)
    verdict = judge(report)
    if verdict.outcome is not Outcome.PASSED and built.commands == 0:
        run.log(f"{verdict.reason}, says the builder's cache; the tests are run again")
        uncached = replace(run.build, flags=("--no-cache",))
        report, built = _run_with_report(replace(run, build=uncached), tested.target, path)
        verdict = judge(report)
    for line in verdict.evidence:
        run.log(f"failed: {line}")
    if verdict.outcome is not Outcome.PASSED:
        raise _failed(run.build, verdict.reason, verdict.evidence)
    return CheckResult(
        run.component, "test", verdict.reason, tests=report.tests, seconds=built.seconds
    )


def _run_with_report(run: _Run, target: str, path: str) -> tuple[Report, Built]:
    with tempfile.TemporaryDirectory(prefix="tests-", dir=scratch_folder()) as scratch:
        folder = Path(scratch) / "report"
        build = replace(
            run.build,
            dockerfile=_with_report(run.build.dockerfile, Path(scratch), target, path),
            target=REPORT_STAGE,
            outputs=(f"type=local,dest={folder}",),
        )
        built = run_build(build, run.target, run.log)
        _require_end(run.build, built)
        return _read(folder, run.build, path), built


def _with_report(dockerfile: Path, folder: Path, target: str, report: str) -> Path:
    """Write the Dockerfile and what it ignores under its own name, outside the clean tree."""
    copy = folder / dockerfile.name
    text = dockerfile.read_text(encoding="utf-8", errors="surrogateescape")
    extended = with_report_stage(text, target, report)
    copy.write_text(extended, encoding="utf-8", errors="surrogateescape")
    ignored = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    if ignored.is_file():
        shutil.copyfile(ignored, folder / ignored.name)
    return copy


def _read(folder: Path, build: Build, path: str) -> Report:
    exit_code = folder / "exit-code"
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file != exit_code]
    if not files:
        raise StageFailed(
            f"target {build.target} left no report at {path}",
            where=build.where,
            next_step="let the test step write it, or correct `report` in slipway.yaml",
        )
    return parse_report(
        [(file.name, file.read_bytes()) for file in files],
        exit_code.read_text(errors="replace") if exit_code.is_file() else None,
    )


def _require_end(build: Build, built: Built) -> None:
    if built.failed is not None:
        lines = "\n".join(built.tail)
        raise StageFailed(
            f"`{built.failed.name}` failed:\n{lines}",
            where=build.where,
            next_step="correct the tests or what they test, and push again",
        )


def _failed(build: Build, reason: str, evidence: tuple[str, ...]) -> StageFailed:
    rest = len(evidence) - SHOWN_TESTS
    names = [*evidence[:SHOWN_TESTS], *([f"and {rest} more"] if rest > 0 else [])]
    return StageFailed(
        reason + ("".join(f"\n  {name}" for name in names)),
        where=build.where,
        next_step="correct the tests or what they test, and push again",
    )
