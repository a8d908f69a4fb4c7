"""`slipway plan | history`: what is and what would be in an environment."""

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.options import Application, Context, Json, Kubeconfig
from infra.cli.output import console, print_json, table
from infra.target import Named, chosen
from tasks.core.application import Application as Described
from tasks.core.application import Environment
from tasks.core.config import load
from tasks.core.errors import ConfigError
from tasks.core.model import ChangeKind, Record
from tasks.core.units import format_duration
from tasks.rollout import Place, history, plan_release

__all__ = ["environment_of", "plan", "show_history"]

Name = Annotated[str, typer.Argument(help="Name of the environment.")]
COLOURS = {ChangeKind.CREATE: "green", ChangeKind.UPDATE: "yellow", ChangeKind.DELETE: "red"}
MARKS = {ChangeKind.CREATE: "+", ChangeKind.UPDATE: "~", ChangeKind.DELETE: "-"}


def plan(
    environment: Name,
    *,
    application: Application = Path(),
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    as_json: Json = False,
) -> None:
    """Show what the release of the environment before would change here. Changes nothing.

    Example: `slipway plan prod`
    """
    place = _place(application, environment, Named(context, kubeconfig=kubeconfig))
    before = _place(
        application, _before(application, environment), Named(context, kubeconfig=kubeconfig)
    )
    live = next((each for each in reversed(history(before)) if each.state == "succeeded"), None)
    if live is None:
        raise ConfigError(
            "no release has reached it yet", where=str(before), next_step="slipway deliver"
        )
    found = plan_release(live.release, place)
    if as_json:
        print_json(found)
        return
    console.print(f"{found.release} to {environment}, plan {found.id}")
    for warning in found.warnings:
        console.print(f"[yellow]! {warning}[/yellow]")
    for change in found.changes:
        if change.kind is not ChangeKind.UNCHANGED:
            colour = COLOURS[change.kind]
            console.print(f"[{colour}]{MARKS[change.kind]} {change.object}[/{colour}]")
            console.print(change.diff, markup=False)


def show_history(
    environment: Name,
    *,
    application: Application = Path(),
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    as_json: Json = False,
) -> None:
    """Show the rollouts of an environment, from its own cluster, the newest last.

    Example: `slipway history prod --json`
    """
    place = _place(application, environment, Named(context, kubeconfig=kubeconfig))
    found = history(place)
    if as_json:
        print_json(found)
        return
    heads = ("NO", "STATE", "RELEASE", "COMMIT", "STARTED", "TOOK", "APPROVED BY", "REASON")
    table(heads, [_row(record) for record in found])


def environment_of(folder: Path, name: str) -> tuple[Described, Environment]:
    """Return an application and one of its environments.

    Raises:
        ConfigError: slipway.yaml has a problem or does not know the environment.
    """
    described = load(folder / "slipway.yaml")
    if name not in described.environments:
        raise ConfigError(
            f"no environment {name!r}",
            where=str(folder / "slipway.yaml"),
            next_step=f"choose one of {', '.join(described.environments)}",
        )
    return described, described.environments[name]


def _place(folder: Path, name: str, named: Named) -> Place:
    described, environment = environment_of(folder, name)
    return Place(described.application, name, environment, chosen(named))


def _before(folder: Path, name: str) -> str:
    names = list(environment_of(folder, name)[0].environments)
    return names[max(0, names.index(name) - 1)]


def _row(record: Record) -> tuple[str, ...]:
    took = format_duration(record.finished_at - record.started_at) if record.finished_at else "…"
    return (
        str(record.number),
        record.state.value,
        record.release.id,
        record.release.commit[:12],
        f"{record.started_at:%Y-%m-%d %H:%M:%S}",
        took,
        ", ".join(record.approved_by),
        record.reason,
    )
