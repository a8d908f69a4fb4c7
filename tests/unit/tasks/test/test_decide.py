"""Where a JUnit report is, and what it says."""

import pytest

from tasks.core.errors import ConfigError
from tasks.core.model import Outcome
from tasks.test.decide import judge, parse_report, with_report_stage, working_folder
from tasks.test.model import Report, TestCase

DOCKERFILE = """
FROM node AS base
WORKDIR /app
FROM base AS test
WORKDIR sub
RUN npm test
FROM --platform=linux/amd64 base AS other
FROM scratch
WORKDIR /last
"""
PASSED = '<testcase classname="math" name="adds"/>'
FAILED = (
    '<testcase classname="math" name="divides"><failure message="1 is not 2&#10;at x"/></testcase>'
)
BROKEN = '<testcase name="loads"><error>no module</error></testcase>'
SKIPPED = '<testcase name="later"><skipped/></testcase>'


def report_of(*cases: str, exit_code: str | None = None, attributes: str = "") -> Report:
    suite = f'<testsuite name="suite" {attributes}>{"".join(cases)}</testsuite>'
    return parse_report([("junit.xml", f"<testsuites>{suite}</testsuites>".encode())], exit_code)


@pytest.mark.parametrize(
    ("target", "folder"),
    [
        pytest.param("base", "/app", id="an absolute folder"),
        pytest.param("test", "/app/sub", id="a relative one below the parent stage's"),
        pytest.param("TEST", "/app/sub", id="names of stages know no case"),
        pytest.param("other", "/app", id="inherited past a platform flag"),
        pytest.param("3", "/last", id="a stage by its number"),
        pytest.param("nowhere", "/", id="an unknown stage"),
    ],
)
def test_a_stage_ends_in_a_folder(target: str, folder: str) -> None:
    assert str(working_folder(DOCKERFILE, target)) == folder


@pytest.mark.parametrize(
    ("report", "copied"),
    [
        pytest.param(
            "junit.xml", "/ap[p]/su[b]/junit.xm[l] /ap[p]/su[b]/exit-cod[e]", id="relative"
        ),
        pytest.param("/out/junit.xml", "/ou[t]/junit.xm[l] /ou[t]/exit-cod[e]", id="absolute"),
        pytest.param("/a/b.xml", "/[a]/b.xm[l] /[a]/exit-cod[e]", id="short names"),
        pytest.param("/out/*.xml", "/ou[t]/*.xml /ou[t]/exit-cod[e]", id="several files"),
    ],
)
def test_a_report_may_be_missing_without_breaking_the_build(report: str, copied: str) -> None:
    extended = with_report_stage(DOCKERFILE, "test", report)
    assert extended.startswith(DOCKERFILE.rstrip())
    assert extended.endswith(f"\n\nFROM scratch AS slipway-report\nCOPY --from=test {copied} /\n")


def test_failing_tests_are_named_with_the_first_line_of_their_message() -> None:
    assert report_of(PASSED, FAILED, BROKEN, SKIPPED) == Report(
        tests=4,
        skipped=1,
        failed=(TestCase("math > divides", "1 is not 2"), TestCase("loads", "no module")),
    )


def test_nested_suites_are_counted_once() -> None:
    inner = f'<testsuite name="inner">{PASSED}</testsuite>'
    assert report_of(PASSED, inner).tests == 2


def test_several_files_are_one_report() -> None:
    file = f"<testsuite>{PASSED}</testsuite>".encode()
    assert parse_report([("a.xml", file), ("b.xml", file)], None).tests == 2


def test_a_suite_that_could_not_be_loaded_is_a_failure() -> None:
    report = report_of(PASSED, attributes='errors="1" tests="1"')
    assert report.failed == (TestCase("suite", "broke outside its tests"),)


def test_counted_failures_that_have_names_are_not_counted_twice() -> None:
    assert len(report_of(FAILED, attributes='failures="1" tests="1"').failed) == 1


@pytest.mark.parametrize("content", [b"", b"nope", b"<html/>", b"<testsuite>"])
def test_what_is_no_report_is_said_so(content: bytes) -> None:
    with pytest.raises(ConfigError, match=r"junit\.xml is no JUnit report"):
        parse_report([("junit.xml", content)], None)


def test_an_exit_code_that_is_no_number_is_said_so() -> None:
    with pytest.raises(ConfigError, match="exit-code holds 'x'"):
        report_of(PASSED, exit_code="x\n")


@pytest.mark.parametrize(
    ("report", "outcome", "reason"),
    [
        pytest.param(report_of(PASSED), Outcome.PASSED, "1 test passed", id="all passed"),
        pytest.param(
            report_of(PASSED, SKIPPED, exit_code="0\n"),
            Outcome.PASSED,
            "1 test passed, 1 skipped",
            id="some skipped",
        ),
        pytest.param(
            report_of(PASSED, FAILED, exit_code="0"),
            Outcome.FAILED,
            "1 of 2 tests failed",
            id="a failed test whatever the runner's status is",
        ),
        pytest.param(
            report_of(PASSED, exit_code="3"),
            Outcome.FAILED,
            "no test failed, but the test runner ended with status 3",
            id="a runner that failed although no test did",
        ),
        pytest.param(report_of(), Outcome.FAILED, "the report holds no test", id="no test"),
        pytest.param(
            report_of(SKIPPED), Outcome.FAILED, "all 1 tests were skipped", id="nothing ran"
        ),
    ],
)
def test_the_verdict_comes_from_report_and_status(
    report: Report, outcome: Outcome, reason: str
) -> None:
    verdict = judge(report)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_the_evidence_names_each_failing_test() -> None:
    assert judge(report_of(FAILED, BROKEN)).evidence == (
        "math > divides: 1 is not 2",
        "loads: no module",
    )
