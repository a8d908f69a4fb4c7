"""`slipway init`: a first slipway.yaml for a repository with Dockerfiles and manifests."""

from pathlib import Path
from typing import Annotated

import typer

from infra.cli import exits
from infra.cli.check import examined, find_kubectl, report
from infra.cli.draft import draft, kustomization
from infra.cli.output import console
from infra.cli.survey import MAX_DEPTH, Survey, survey
from tasks.core.config import FILE
from tasks.core.errors import ConfigError

__all__ = ["init"]

LOOKED = {
    "Dockerfiles": "Dockerfile, Containerfile, Dockerfile.NAME, NAME.Dockerfile",
    "manifests": "kustomization.yaml, or YAML files with a Deployment, StatefulSet or DaemonSet",
}


def init(
    path: Annotated[Path, typer.Argument(help="Folder of the repository.")] = Path(),
    *,
    name: Annotated[
        str, typer.Option(help="The application's name, by which everything is called.")
    ] = "",
    force: Annotated[bool, typer.Option(help="Replace a slipway.yaml that is there.")] = False,
) -> None:
    """Write a first slipway.yaml from a repository's Dockerfiles and manifests, and check it.

    Without --name the application is called what the folder is.

    Example: `slipway init ~/projects/shop`
    """
    file = path / FILE
    _refuse(path, file, force=force)
    found = survey(path, find_kubectl(), name)
    _insist(found, path)
    for environment in found.environments:
        if environment.loose:
            new = path / environment.folder / "kustomization.yaml"
            new.write_text(kustomization(environment), encoding="utf-8")
            console.print(
                f"[green]✓[/green] {new} written: the manifests beside it, as one overlay"
            )
    file.write_text(draft(found), encoding="utf-8")
    console.print(f"[green]✓[/green] {file} written; read its comments")
    examination = examined(path)
    report(examination)
    if examination.problems:
        raise typer.Exit(exits.NO)


def _refuse(path: Path, file: Path, *, force: bool) -> None:
    if not path.is_dir():
        raise ConfigError("is no folder", where=str(path), next_step="name the repository's folder")
    if file.exists() and not force:
        raise ConfigError(
            "is there already",
            where=str(file),
            next_step=f"slipway init {path} --force replaces it",
        )


def _insist(found: Survey, path: Path) -> None:
    """Say what is missing where a file could not be written from what was found."""
    missing = [
        name
        for name, there in (("Dockerfiles", found.components), ("manifests", found.environments))
        if not there
    ]
    if missing:
        looked = "; ".join(f"{name}: {LOOKED[name]}" for name in missing)
        raise ConfigError(
            f"holds no {' and no '.join(missing)} in its {found.folders} folders,"
            f" {MAX_DEPTH} levels deep (looked for {looked})",
            where=str(path),
            next_step="write them first, or a slipway.yaml by hand (slipway check --schema)",
        )
