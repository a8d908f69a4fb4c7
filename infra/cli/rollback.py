"""`slipway rollback`: a whole earlier release, by hand."""

import dataclasses
import getpass
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli import exits
from infra.cli.direct import Person, lines_shown, recorded_place, roll_back_here
from infra.cli.options import Application, Context, Json, Kubeconfig, Registry
from infra.cli.output import print_json, say
from infra.cli.rollouts import BULK, connected, described_in, for_scripts
from infra.cli.runs import Wait, approve, begin, started
from infra.server import connect, require_up
from infra.target import Named, chosen
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.past import named
from tasks.core.target import Target
from tasks.rollout.model import Back, Place, Stored
from tasks.rollout.place import place_of, place_without_repository
from tasks.rollout.ports import ports_of

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["rollback"]

ACTS = "roll back"
"""How the stage's name ends that acts; whoever has to be asked was asked before it."""


def rollback(  # noqa: PLR0913 one parameter an option
    environment: Annotated[str, typer.Argument(help="Environment to take back.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; it stands in the history.")],
    to: Annotated[
        str | None,
        typer.Option(help="Number of a rollout or id of a release; the good one before if absent."),
    ] = None,
    approver: Annotated[
        str | None, typer.Option("--as", help="Your name as an approver; asked for where absent.")
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(
            envvar="SLIPWAY_CODE",
            help="From your authenticator; better left out: it is asked for without an echo.",
        ),
    ] = None,
    application: Application = Path(),
    namespace: Annotated[
        str | None,
        typer.Option(help="Of the environment: its records then stand in for a slipway.yaml."),
    ] = None,
    direct: Annotated[
        bool,
        typer.Option(
            "--direct", help="Act in this process; so, too, where Prefect does not answer."
        ),
    ] = False,
    context: Context = None,
    registry: Registry = None,
    kubeconfig: Kubeconfig = None,
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Restore a whole earlier release, configuration included.

    Where the environment has approvers, one of them has to prove who they are, unless slipway.yaml
    says `rollback: {approval: none}`.

    Example: `slipway rollback prod --reason "checkout fails" --to 12`
    """
    place = _place(
        environment, application, namespace, chosen(Named(context, registry, kubeconfig))
    )
    goal, person = named(to), Person(approver, code)
    if direct or _is_prefect_away():
        _roll_back_here(place, Back(reason, goal), person, as_json=as_json)
        return
    run = _start(place, Back(reason, goal))
    if wait and (approver or sys.stdin.isatty()) and _asks(run):
        approve(str(run), approver=approver, code=code, as_json=as_json)
    else:
        begin(run, wait=wait, as_json=as_json)


def _start(place: Place, back: Back) -> "UUID":
    """Start the flow `rollback`, and say what else there is where Prefect does not take the run."""
    parameters: dict[str, object] = {
        "application": place.application,
        "environment": place.name,
        "namespace": place.namespace,
        "target": dataclasses.asdict(place.target),
        "to": back.to,
        "reason": back.reason,
        "actor": getpass.getuser(),
    }
    try:
        return started("rollback/rollback", parameters, f"roll back {place}")
    except Unavailable as error:
        what, where, _ = error.args
        step = "the same command with --direct, when slipway status shows no such run"
        raise Unavailable(what, where, step) from error


def _place(environment: str, folder: Path, namespace: str | None, target: Target) -> Place:
    """Return the environment, by its application's slipway.yaml or by its records alone."""
    if namespace is not None:
        with connected(target) as cluster:
            return recorded_place(environment, namespace, target, cluster)
    try:
        described = described_in(folder)
    except ConfigError as error:
        what, where, _ = error.args
        step = "name the folder with -a, or do without: --namespace NAMESPACE"
        raise ConfigError(what, where, step) from error
    return place_of(described, environment, target)


def _is_prefect_away() -> bool:
    """Say whether Prefect does not answer, to the person too; nothing was asked of it yet."""
    try:
        require_up()
    except Unavailable as error:
        typer.echo(f"! {error.args[1]}: {error.what}; the rollback runs in this process", err=True)
        return True
    return False


def _roll_back_here(place: Place, back: Back, person: Person, *, as_json: bool) -> None:
    bare = place_without_repository(place.application, place.name, place.namespace, place.target)
    shown = nullcontext() if as_json else lines_shown()
    try:
        with connected(place.target) as cluster, shown:
            record = roll_back_here(bare, back, person, ports_of(cluster))
    except KeyboardInterrupt:
        typer.echo("\nStopped half-way.\nNext: the same command again goes on with it", err=True)
        raise typer.Exit(exits.INTERRUPTED) from None
    if as_json:
        print_json(for_scripts(Stored(record), without=BULK))
    else:
        say("✓", "green", f"{place}: rollout {record.number} {record.state.value}: {record.reason}")


def _asks(run: "UUID") -> bool:
    """Say whether a run comes to wait for an approver before it acts."""
    for view in connect().follow(run):
        if view.state == "PAUSED":
            return True
        if any(stage.name.endswith(ACTS) for stage in view.stages):
            return False
    return False
