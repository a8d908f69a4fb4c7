import sys
from datetime import timedelta

import pytest

from tasks.core.errors import ToolFailed
from tasks.core.process import KEPT_LINES, Options, run

SOON = timedelta(seconds=60)
MANY = KEPT_LINES + 10


def python(program: str, options: Options | None = None) -> str:
    return run([sys.executable, "-c", program], timeout=SOON, options=options).stdout


def test_only_the_newest_lines_of_a_chatty_program_are_kept() -> None:
    lines = python(f"for n in range({MANY}): print(n)").splitlines()
    assert (len(lines), lines[-1]) == (KEPT_LINES, str(MANY - 1))


def test_output_that_is_the_result_is_kept_whole() -> None:
    lines = python(f"for n in range({MANY}): print(n)", Options(kept_lines=None)).splitlines()
    assert len(lines) == MANY


def test_secrets_are_neither_kept_nor_shown() -> None:
    shown: list[str] = []
    options = Options(secrets=("s3cret",), on_line=shown.append)
    assert python("print('token s3cret')", options) == "token ***\n"
    assert shown == ["token ***"]


def test_a_failure_says_which_program_how_it_ended_and_its_last_words() -> None:
    with pytest.raises(ToolFailed, match=r"python.*: ended with status 3\nno such thing"):
        python("import sys; sys.stderr.write('no such thing'); sys.exit(3)")


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ToolFailed, match="/no/program cannot be started"):
        run(["/no/program"], timeout=SOON)
