import io
from dataclasses import replace
from uuid import UUID

import pytest
from rich.console import Console
from rich.text import Text

from infra.cli import output
from infra.server.client import RunView, StageView

RUN = RunView(
    id=UUID("01234567-89ab-cdef-0123-456789abcdef"),
    name="shop@main",
    state="RUNNING",
    message="",
    url="http://ui/runs/1",
    word="Running",
)
QUEUED = replace(RUN, state="SCHEDULED", word="Scheduled")


def seen(*stages: StageView) -> RunView:
    return replace(RUN, stages=stages)


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal of 40 columns that remembers everything that was written to it."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=40, soft_wrap=True, highlight=False)
    monkeypatch.setattr(output, "console", console)
    return written


def test_on_a_pipe_each_stage_is_told_once_when_it_is_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lint, done = StageView("api: lint", "Running", 1.0), StageView("api: lint", "Completed", 2.04)
    last = seen(done, StageView("api: test", "Failed", 3.0))
    assert output.show_stages([seen(lint), seen(done), last]) is last
    assert told(capsys) == ["✓ api: lint  2.0 s", "✗ api: test  3.0 s"]


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("Scheduled", "… queued: waits for the worker"),
        ("Recovering", "… queued again: its process was gone, it goes on where it was"),
        ("Late", "… queued: no worker has taken it yet; slipway status says whether one runs"),
    ],
)
def test_a_run_that_waits_for_its_worker_says_so_once(
    capsys: pytest.CaptureFixture[str], word: str, line: str
) -> None:
    output.show_stages([replace(QUEUED, word=word)] * 3)
    assert told(capsys) == [line]


def test_bookkeeping_is_told_only_when_it_fails(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_stages(
        [
            seen(
                StageView("dev: freezes", "Completed", 0.0),
                StageView("dev: begun before?", "Completed", 0.0),
                StageView("prod: freezes", "Failed", 0.0),
            )
        ]
    )
    assert told(capsys) == ["✗ prod: freezes  0.0 s"]


def test_what_was_told_before_an_answer_is_not_told_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = seen(StageView("api: lint", "Completed", 2.0))
    after = seen(*before.stages, StageView("prod: roll out", "Completed", 4.0))
    output.show_stages([after], since=before)
    assert told(capsys) == ["✓ prod: roll out  4.0 s"]


def test_a_terminal_shows_what_runs_with_its_duration(screen: io.StringIO) -> None:
    output.show_stages([seen(StageView("api: test", "Running", 1.2))])
    assert "api: test  1.2 s" in screen.getvalue()
    assert "shop@main (01234567) running" in screen.getvalue()


def test_rows_that_move_never_wrap(screen: io.StringIO) -> None:
    output.show_stages([seen(StageView("x" * 100, "Running", 1.2))])
    assert "x" * 40 not in screen.getvalue()
    assert "…" in screen.getvalue()


def test_a_piped_table_has_one_line_a_row_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("NO", "REASON"), [("1", "why " * 200), ("10", "two\nlines")])
    lines = told(capsys)
    assert lines[0] == "NO  REASON"
    assert lines[1] == f"1   {'why ' * 200}".rstrip()
    assert lines[2] == "10  two lines"


def test_a_table_on_a_terminal_wraps_its_last_column_only(screen: io.StringIO) -> None:
    output.table(("NO", "STATE", "REASON"), [("1", "succeeded", "ready, four probes have passed")])
    assert [line.rstrip() for line in Text.from_ansi(screen.getvalue()).plain.splitlines()] == [
        "NO  STATE      REASON",
        "1   succeeded  ready, four probes have",
        "               passed",
    ]


def test_what_is_said_is_no_markup_and_controls_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.say("✗", "red", "[base 1/2] \x1b]0;title\x07 [red]x")
    assert told(capsys) == ["✗ [base 1/2] ]0;title [red]x"]
