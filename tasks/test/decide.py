"""Where a report is, what it says and what follows from it."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

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
    sources = [_as_pattern(path), _as_pattern(path.parent / "exit-code")]
    stage = f"FROM scratch AS {REPORT_STAGE}\nCOPY --from={target} {' '.join(sources)} /"
    return f"{dockerfile.rstrip()}\n\n{stage}\n"


def _as_pattern(path: PurePosixPath) -> str:
    """Write every name as a pattern that matches it alone, folders too: each may be missing."""
    names = [
        name if _WILDCARDS.search(name) else f"{name[:-1]}[{name[-1]}]" for name in path.parts[1:]
    ]
    return "/" + "/".join(names)


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
    roots = [_parse(name, content) for name, content in files]
    cases = [case for root in roots for case in root.iter("testcase")]
    failed = [failed for case in cases for failed in _failed(case)]
    suites = [suite for root in roots for suite in root.iter("testsuite")]
    return Report(
        tests=len(cases),
        skipped=sum(case.find("skipped") is not None for case in cases),
        failed=(*failed, *_failed_outside_cases(suites)),
        exit_code=_exit_code(exit_code),
    )


def _parse(name: str, content: bytes) -> Element:
    try:
        # The team's own report; expat itself stops entities that grow without end.
        root = ET.fromstring(content)  # noqa: S314
    except ET.ParseError as error:
        raise _no_report(name, str(error)) from error
    if root.tag not in ("testsuites", "testsuite"):
        raise _no_report(name, f"it begins with <{root.tag}>")
    return root


def _no_report(name: str, why: str) -> ConfigError:
    return ConfigError(
        f"{name} is no JUnit report: {why}",
        where="test",
        next_step="let `report` in slipway.yaml name the file that the test runner writes",
    )


def _failed(case: Element) -> list[TestCase]:
    fault = next((child for child in case if child.tag in ("failure", "error")), None)
    if fault is None:
        return []
    parts = (case.get("classname"), case.get("name"))
    name = " > ".join(part for part in parts if part) or "a test without name"
    lines = (fault.get("message") or fault.text or "").strip().splitlines()
    return [TestCase(name, lines[0] if lines else "")]


def _failed_outside_cases(suites: Iterable[Element]) -> list[TestCase]:
    """Return suites that count failures of which no test is one: files that could not be loaded."""
    return [
        TestCase(suite.get("name") or "a suite without name", "broke outside its tests")
        for suite in suites
        if _counted(suite) and not any(_failed(case) for case in suite.iter("testcase"))
    ]


def _counted(suite: Element) -> int:
    counts = (suite.get("failures") or "0", suite.get("errors") or "0")
    return sum(int(count) for count in counts if count.isdecimal())


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
    tests = "test" if ran == 1 else "tests"
    return Verdict(Outcome.PASSED, f"{ran} {tests} passed{skipped}")
