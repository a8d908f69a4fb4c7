import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from infra.cli import exits
from infra.cli.check import check, schema_text
from tasks.core import errors
from tasks.core.errors import ConfigError

ROOT = Path(__file__).parents[4]
YAML = """\
application: shop
components:
  api: {context: .}
environments:
  prod: {overlay: deploy, namespace: shop}
"""


@pytest.fixture(autouse=True)
def no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was named, and the machine has no kubectl."""
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(check)
    return CliRunner().invoke(app, arguments)


def repository(folder: Path, text: str = YAML) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text("FROM scratch AS runtime\n")
    (folder / "deploy").mkdir()
    (folder / "deploy" / "kustomization.yaml").write_text("resources: [app.yaml]\n")
    (folder / "deploy" / "app.yaml").write_text(
        "kind: Pod\nmetadata: {name: a}\nspec: {containers: [{image: shop-api}]}\n"
    )
    (folder / "slipway.yaml").write_text(text)


def test_a_file_without_a_fault_is_one_line_and_says_how_manifests_were_read(
    tmp_path: Path,
) -> None:
    repository(tmp_path)
    result = run()
    assert result.exit_code == 0
    assert result.output == (
        "✓ shop: components api; environments prod"
        " (manifests by reading the YAML files, without kustomize)\n"
    )


def test_problems_name_the_file_as_the_reader_would_open_it(tmp_path: Path) -> None:
    repository(tmp_path / "shop", YAML.replace("application:", "aplication:"))
    result = run("shop")
    assert result.exit_code == exits.NO
    assert result.output.splitlines() == [
        "shop/slipway.yaml:1: aplication: is not known here. Next: did you mean application?",
        (
            "shop/slipway.yaml:1: application: is missing. Next: add `application: ...` under the"
            " top level"
        ),
        "✗ 2 problems",
    ]


def test_scripts_get_json(tmp_path: Path) -> None:
    repository(tmp_path, YAML.replace("prod:", "Prod:"))
    result = run("--json")
    content = json.loads(result.stdout)
    assert result.exit_code == exits.NO
    assert content["ok"] is False
    assert [(one["line"], one["key"]) for one in content["problems"]] == [(5, "environments.Prod")]


def test_a_folder_that_does_not_exist_is_a_mistake_on_the_command_line() -> None:
    result = run("nowhere")
    assert isinstance(result.exception, ConfigError)
    assert exits.code_for(result.exception) == exits.USAGE


def test_the_committed_schema_is_up_to_date() -> None:
    committed = (ROOT / "docs" / "slipway.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "slipway check --schema > docs/slipway.schema.json"
    assert run("--schema").stdout == committed


CODES = {
    "a wrong file is usage": (errors.ConfigError("x"), 2),
    "a server that is away is unavailable": (errors.Unavailable("x"), 3),
    "a missing approval is a gate": (errors.GateClosed("x"), 4),
    "a failed stage is a no": (errors.StageFailed("x"), 1),
    "a failed program is a no": (errors.ToolFailed("x"), 1),
    "a conflict is a no": (errors.Conflict("x"), 1),
}


@pytest.mark.parametrize(("error", "code"), CODES.values(), ids=CODES.keys())
def test_every_error_has_its_exit_code(error: errors.SlipwayError, code: int) -> None:
    assert exits.code_for(error) == code
