"""`slipway check`: what is wrong with a slipway.yaml, all of it at once."""

import contextlib
import dataclasses
import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.cli import exits
from infra.cli.options import Json
from infra.cli.output import console
from infra.target import chosen
from tasks.core.clock import utc_now
from tasks.core.config import FILE, Examination, examine, schema
from tasks.core.errors import ConfigError

__all__ = ["check", "examined", "find_kubectl", "report"]


def check(
    path: Annotated[
        Path, typer.Argument(help="Folder that holds the slipway.yaml, or the file itself.")
    ] = Path(),
    *,
    as_json: Json = False,
    as_schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of slipway.yaml for editors.")
    ] = False,
) -> None:
    """Say everything that is wrong with a slipway.yaml; exit code 1 where something is.

    Example: `slipway check examples/myfin`
    """
    if as_schema:
        sys.stdout.write(schema_text())
        return
    if not path.exists():
        raise ConfigError("does not exist", where=str(path), next_step="name another folder")
    examination = examined(path)
    if as_json:
        sys.stdout.write(_as_json(examination))
    else:
        report(examination)
    if examination.problems:
        raise typer.Exit(exits.NO)


def examined(path: Path) -> Examination:
    """Look at a slipway.yaml, with the file named as the reader would open it."""
    found = examine(path, kubectl=find_kubectl(), today=utc_now().date())
    file = str(path / FILE if path.is_dir() else path)
    problems = tuple(dataclasses.replace(one, file=file) for one in found.problems)
    return dataclasses.replace(found, problems=problems)


def report(examination: Examination) -> None:
    """Print the problems, or one line that says what was found."""
    for problem in examination.problems:
        console.print(str(problem), markup=False)
    application = examination.application
    if application is None:
        count = len(examination.problems)
        console.print(f"[red]✗[/red] {count} problem{'s' if count > 1 else ''}")
        return
    console.print(
        f"[green]✓[/green] {application.application}:"
        f" components {', '.join(application.components)};"
        f" environments {' → '.join(application.environments)}"
        f" (manifests by {examination.rendered_by})"
    )


def find_kubectl() -> str | None:
    """Return the program that renders overlays: the named target's, or the machine's own."""
    with contextlib.suppress(ConfigError):
        return shutil.which(chosen().kubectl)
    return shutil.which("kubectl")


def schema_text() -> str:
    """Return the JSON schema as it is printed and committed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _as_json(examination: Examination) -> str:
    application = examination.application
    content = {
        "ok": application is not None,
        "problems": [dataclasses.asdict(one) for one in examination.problems],
        "components": list(application.components) if application else [],
        "environments": list(application.environments) if application else [],
        "manifests_by": examination.rendered_by,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
