"""What a run said, on a terminal."""

import logging
from datetime import UTC, datetime
from uuid import UUID

import pytest
from rich.text import Text

from infra.cli.logs import log_text, readable
from infra.server.run_views import LogLine

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def line(text: str, level: int = logging.INFO) -> LogLine:
    return LogLine(UUID(int=0), NOON, level, text)


def shown(text: str, level: int = logging.INFO) -> Text:
    return log_text(line(text, level), text)


def test_a_line_of_a_log_shows_what_looks_like_markup() -> None:
    assert shown("[base 1/2] FROM x").plain == "12:00:00 [base 1/2] FROM x"


def test_a_line_of_a_log_keeps_colours_and_no_other_control_sequence() -> None:
    text = shown("\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b[2Jgone")
    assert "\x1b" not in text.plain
    assert "red" in text.plain


@pytest.mark.parametrize(
    ("level", "colour"), [(logging.WARNING, "yellow"), (logging.ERROR, "red"), (logging.INFO, "")]
)
def test_levels_have_colours(level: int, colour: str) -> None:
    styles = {str(span.style) for span in shown("said", level).spans}
    assert (colour in styles) is bool(colour)


def test_a_line_of_a_log_names_the_stage_that_said_it() -> None:
    assert log_text(line("FROM x"), "FROM x", "web: build").plain == "12:00:00 web: build │ FROM x"


FAILED = """Encountered exception during execution: StageFailed('blocked: 1', 'scan web', 'fix')
Traceback (most recent call last):
  File "prefect/task_engine.py", line 890, in run_context
    yield self
ValueError: first

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "tasks/scan/task.py", line 60, in scan_image
    return _shown(result, application)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
tasks.core.errors.StageFailed: scan web: blocked: 1
  blocks: critical vulnerability CVE-1. Next: update or fix what blocks
"""


def test_what_failed_is_told_once_without_a_trace() -> None:
    failures: set[str] = set()
    assert readable(line(FAILED, logging.ERROR), failures) == (
        "tasks.core.errors.StageFailed: scan web: blocked: 1\n"
        "  blocks: critical vulnerability CVE-1. Next: update or fix what blocks"
    )
    assert readable(line(FAILED.replace("yield", "pass"), logging.ERROR), failures) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Finished in state Failed('Task run encountered an exception: a\\nb')", None),
        ("Finished in state Completed()", "Finished in state Completed"),
        ("prod/shop: 2 objects applied", "prod/shop: 2 objects applied"),
    ],
)
def test_how_something_ended_is_said_in_a_word(text: str, expected: str | None) -> None:
    assert readable(line(text), set()) == (expected or "Finished in state Failed")
