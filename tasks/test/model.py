"""What a JUnit report says."""

from dataclasses import dataclass

__all__ = ["Report", "TestCase"]


@dataclass(frozen=True, slots=True)
class TestCase:
    """A test that did not pass; message is the first line of what it said."""

    __test__ = False  # not a test case for pytest

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """All suites of all files together.

    Attributes:
        tests: number of test cases.
        skipped: those of them that did not run.
        failed: those of them that failed or ended with an error.
        exit_code: of the test runner, where it was kept beside the report.
    """

    tests: int
    skipped: int
    failed: tuple[TestCase, ...]
    exit_code: int | None = None
