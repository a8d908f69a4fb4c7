"""Where a report is, what it says and what follows from it."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from junitparser import Error, Failure, JUnitXml, JUnitXmlError, Skipped, TestSuite
from junitparser import TestCase as Case

from tasks.core.errors import ConfigError
from tasks.core.model import Outcome, Verdict
from tasks.test.model import Report, TestCase

__all__ = ["REPORT_STAGE", "judge", "parse_report", "with_report_stage", "working_folder"]

REPORT_STAGE = "slipway-report"
_FROM = re.compile(r"FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$", re.IGNORECASE)
_WORKDIR = re.compile(r"WORKDIR\s+(.+)$", re.IGNORECASE)
_WILDCARDS = re.compile(r"[*?\[]")


def with_report_stage(dockerfile: str, target: str, report: str) -> str:
    """Return the Dockerfile with a last stage that holds the report and nothing else.

    A file that COPY names by a pattern may be missing; one that it names exactly may not. A report
    that is missing is told by us, in words about tests.
    """
    path = working_folder(dockerfile, target) / report
    sources = [_as_pattern(str(path)), _as_pattern(str(path.parent / "exit-code"))]
    stage = f"FROM scratch AS {REPORT_STAGE}\nCOPY --from={target} {' '.join(sources)} /"
    return f"{dockerfile.rstrip()}\n\n{stage}\n"


def _as_pattern(path: str) -> str:
    return path if _WILDCARDS.search(path) else f"{path[:-1]}[{path[-1]}]"


def working_folder(dockerfile: str, target: str) -> PurePosixPath:
    """Return the folder that a stage ends in, as far as the Dockerfile tells.

    What a base image sets is unknown; then the path starts at the root.
    """
    folder = PurePosixPath("/")
    ends: dict[str, PurePosixPath] = {}
    stage, number = "", -1
    for line in dockerfile.replace("\\\n", " ").splitlines():
        if match := _FROM.match(line.strip()):
            folder = ends.get(match[1].lower(), PurePosixPath("/"))
            stage, number = (match[2] or "").lower(), number + 1
        elif match := _WORKDIR.match(line.strip()):
            folder /= match[1].strip().strip("\"'")
        ends |= {stage: folder, str(number): folder}
    return ends.get(target.lower(), PurePosixPath("/"))


def parse_report(files: Iterable[tuple[str, bytes]], exit_code: str | None) -> Report:
    """Read JUnit files, given as name and content, and the test runner's exit status.

    Raises:
        ConfigError: a file is no JUnit report, or the status no number.
    """
    suites: list[TestSuite] = []
    for name, content in files:
        try:
            document = JUnitXml.fromstring(content)
        except (JUnitXmlError, SyntaxError) as error:  # ElementTree's ParseError is a SyntaxError
            raise ConfigError(
                f"{name} is no JUnit report: {error}",
                where="test",
                next_step="let `report` in slipway.yaml name the file that the test runner writes",
            ) from error
        suites += list(document)
    cases = [case for suite in suites for case in suite]
    failed = [failed for case in cases for failed in _failed(case)]
    return Report(
        tests=len(cases),
        skipped=sum(any(isinstance(one, Skipped) for one in case.result) for case in cases),
        failed=(*failed, *_failed_outside_cases(suites, len(failed))),
        exit_code=_exit_code(exit_code),
    )


def _failed(case: Case) -> list[TestCase]:
    faults = [one for one in case.result if isinstance(one, Failure | Error)]
    name = " > ".join(part for part in (case.classname, case.name) if part) or "a test without name"
    lines = str(faults[0].message or faults[0].text or "").strip().splitlines() if faults else []
    return [TestCase(name, lines[0] if lines else "")] if faults else []


def _failed_outside_cases(suites: Iterable[TestSuite], known: int) -> list[TestCase]:
    """Return suites that count failures nobody was named for: files that could not be loaded."""
    broken = [suite for suite in suites if (suite.failures or 0) + (suite.errors or 0)]
    counted = sum((suite.failures or 0) + (suite.errors or 0) for suite in broken)
    if counted <= known:
        return []
    return [TestCase(suite.name or "a suite without name", "broke") for suite in broken]


def _exit_code(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(text.strip())
    except ValueError as error:
        raise ConfigError(
            f"exit-code holds {text.strip()[:40]!r} instead of a number",
            where="test",
            next_step="write it with `echo $? > exit-code` right behind the test runner",
        ) from error


def judge(report: Report) -> Verdict:
    """Say what a report shows; a runner that ends badly fails even where every test passed."""
    evidence = tuple(f"{test.name}: {test.message}".rstrip(": ") for test in report.failed)
    ran = report.tests - report.skipped
    if report.failed:
        return Verdict(
            Outcome.FAILED, f"{len(report.failed)} of {report.tests} tests failed", evidence
        )
    if report.tests == 0:
        return Verdict(Outcome.FAILED, "the report holds no test")
    if ran == 0:
        return Verdict(Outcome.FAILED, f"all {report.tests} tests were skipped")
    if report.exit_code:
        return Verdict(
            Outcome.FAILED,
            f"no test failed, but the test runner ended with status {report.exit_code}",
        )
    skipped = f", {report.skipped} skipped" if report.skipped else ""
    return Verdict(Outcome.PASSED, f"{ran} tests passed{skipped}")
