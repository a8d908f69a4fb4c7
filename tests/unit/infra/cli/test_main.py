import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import typer
from typer._click.exceptions import UsageError

from infra.cli import exits
from infra.cli.main import end_with
from tasks.core.errors import ConfigError, GateClosed, ToolFailed, Unavailable
from tasks.core.process import Options, run


def failing(error: BaseException) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def ended(work: Callable[[], int | None]) -> int:
    with pytest.raises(SystemExit) as end:
        end_with(work)
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(ConfigError("is wrong"), exits.USAGE, id="a mistake of the user's"),
        pytest.param(Unavailable("is away"), exits.UNAVAILABLE, id="a server that is away"),
        pytest.param(GateClosed("no"), exits.GATE, id="a gate that is closed"),
        pytest.param(ToolFailed("fell over"), exits.NO, id="a program that failed"),
        pytest.param(httpx.ConnectError("refused"), exits.UNAVAILABLE, id="a broken connection"),
        pytest.param(KeyError("port"), exits.FAULT, id="a fault of our own"),
        pytest.param(UsageError("no such option"), exits.USAGE, id="a command that is none"),
    ],
)
def test_what_goes_wrong_is_told_without_a_trace_and_ends_as_documented(
    capsys: pytest.CaptureFixture[str], error: Exception, status: int
) -> None:
    assert ended(failing(error)) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(typer.Exit(3), 3, id="a command that has said all itself"),
        pytest.param(KeyboardInterrupt(), exits.INTERRUPTED, id="Ctrl-C"),
        pytest.param(typer.Abort(), exits.INTERRUPTED, id="Ctrl-C at a question"),
    ],
)
def test_some_ends_need_no_words(
    capsys: pytest.CaptureFixture[str], error: BaseException, status: int
) -> None:
    assert ended(failing(error)) == status
    assert capsys.readouterr().err == ""


def test_what_goes_well_ends_well_and_a_status_is_passed_on() -> None:
    assert ended(lambda: None) == exits.OK
    assert ended(lambda: exits.GATE) == exits.GATE


@pytest.mark.parametrize(
    "words", [("infra.lab",), ("infra.cli.main", "lab")], ids=["by itself", "below slipway"]
)
def test_the_labs_commands_end_as_all_others_do(tmp_path: Path, words: tuple[str, ...]) -> None:
    module, *rest = words
    start = f"import sys, runpy; sys.argv[1:] = {[*rest, 'logs', 'kublet']!r}; "
    how = (
        "runpy.run_module('infra.lab', run_name='__main__')"
        if module == "infra.lab"
        else "from infra.cli.main import main; main()"
    )
    options = Options(env={"SLIPWAY_STATE": str(tmp_path)}, ok=(exits.USAGE,))
    done = run((sys.executable, "-c", start + how), timeout=timedelta(minutes=1), options=options)
    (line,) = done.stderr.splitlines()
    assert "lab: no component is called kublet. Next: take one of" in line
