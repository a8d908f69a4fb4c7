"""`slipway plan | history`: what is and what would be in an environment."""

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.options import Application, Context, Json, Kubeconfig
from infra.cli.output import console, print_json, table
from infra.target import Named, chosen
from tasks.core.application import Application as Described
from tasks.core.cluster_api import connect
from tasks.core.config import load
from tasks.core.errors import ConfigError
from tasks.core.model import ChangeKind, Record
from tasks.core.units import format_duration
from tasks.rollout import history as past
from tasks.rollout import plan as planning
from tasks.rollout.model import Place
from tasks.rollout.place import place_of

__all__ = ["described_in", "plan", "show_history"]

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
    named = Named(context, kubeconfig=kubeconfig)
    place = _place(application, environment, named)
    before = _place(application, _before(application, environment), named)
    with connect(before.target) as cluster:
        live = past.live(before, cluster)
    if live is None:
        raise ConfigError(
            "no release has reached it yet", where=str(before), next_step="slipway deliver"
        )
    with connect(place.target) as cluster:
        found = planning.plan(live.release, place, cluster)
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
    """Show the rollouts of an environment, from its own cluster, the newest first.

    Example: `slipway history prod --json`
    """
    place = _place(application, environment, Named(context, kubeconfig=kubeconfig))
    with connect(place.target) as cluster:
        found = past.history(place, cluster)
    if as_json:
        print_json(found)
        return
    heads = ("NO", "STATE", "RELEASE", "COMMIT", "STARTED", "TOOK", "APPROVED BY", "REASON")
    table(heads, [_row(record) for record in found])


def described_in(folder: Path) -> Described:
    """Return the application of a folder.

    Raises:
        ConfigError: its slipway.yaml has a problem.
    """
    return load(folder / "slipway.yaml")


def _place(folder: Path, name: str, named: Named) -> Place:
    return place_of(described_in(folder), name, chosen(named))


def _before(folder: Path, name: str) -> str:
    names = list(described_in(folder).environments)
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
