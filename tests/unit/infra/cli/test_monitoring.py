from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from infra.cli.monitoring import monitoring
from infra.examples import EXAMPLES
from tasks.core.errors import ConfigError, Unavailable

MYFIN = str(EXAMPLES / "myfin")


@pytest.fixture(autouse=True)
def no_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(monitoring)
    return CliRunner().invoke(app, arguments)


def test_plain_files_are_written_and_named(tmp_path: Path) -> None:
    result = run(MYFIN, "--out", str(tmp_path))
    written = [str(file) for file in tmp_path.rglob("*") if file.is_file()]
    assert sorted(result.output.split()) == sorted(written)
    assert yaml.safe_load((tmp_path / "rules" / "myfin.prod.yaml").read_text())["groups"]


def test_objects_are_for_the_helm_release_that_was_named(tmp_path: Path) -> None:
    run(MYFIN, "--out", str(tmp_path), "--format", "manifests", "--stack", "watch")
    objects = [*yaml.safe_load_all((tmp_path / "prod.yaml").read_text())]
    assert [one["kind"] for one in objects] == ["PrometheusRule", "AlertmanagerConfig"]
    assert {one["metadata"]["labels"]["release"] for one in objects} == {"watch"}
    assert {one["metadata"]["namespace"] for one in objects} == {"myfin-prod"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param((), "one of --out, --load and --unload", id="nothing to do"),
        pytest.param(("--load", "--unload"), "one of --out", id="two things to do"),
        pytest.param(("--load", "--receiver", "http://a"), "belong together", id="without a token"),
        pytest.param(
            ("--load", "--receiver", "http://a", "--token-file", "/nowhere"),
            "/nowhere: cannot be read", id="a token that is not there",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], complaint: str) -> None:
    error = run(MYFIN, *arguments).exception
    assert isinstance(error, ConfigError)
    assert complaint in str(error)


def test_without_a_lab_nothing_is_loaded() -> None:
    error = run(MYFIN, "--load").exception
    assert isinstance(error, Unavailable)
    assert "slipway up --lab" in str(error)
    assert "nothing was loaded" in run(MYFIN, "--unload").output
