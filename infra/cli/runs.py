"""`slipway deliver | approve | rollback | logs`: runs on Prefect."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli import exits
from infra.cli.options import (
    Application,
    Builder,
    Context,
    DockerHost,
    Json,
    Kubeconfig,
    Registry,
)
from infra.cli.output import console, print_json, show_stages
from infra.server import connect
from infra.target import Named, chosen
from tasks.core.clock import SystemClock
from tasks.core.config import load
from tasks.core.errors import ConfigError
from tasks.rollout.place import place_of

if TYPE_CHECKING:
    from infra.server.client import Runs, RunView

__all__ = ["approve", "deliver", "logs", "rollback"]

Wait = Annotated[bool, typer.Option(help="Follow the run until it is over or waits.")]
LOOK_EVERY = timedelta(seconds=1)
EXITS = {"COMPLETED": exits.OK, "PAUSED": exits.OK, "CRASHED": exits.UNAVAILABLE}


def deliver(  # noqa: PLR0913 one parameter an option
    repository: Annotated[str, typer.Argument(help="Path or address of a git repository.")] = ".",
    *,
    revision: Annotated[
        str, typer.Option("--revision", "-r", help="Commit, tag, branch.")
    ] = "HEAD",
    until: Annotated[str | None, typer.Option(help="Last environment to go to.")] = None,
    despite: Annotated[
        str | None,
        typer.Option(help="Why a release that was taken back before should be tried again."),
    ] = None,
    context: Context = None,
    registry: Registry = None,
    kubeconfig: Kubeconfig = None,
    builder: Builder = None,
    docker_host: DockerHost = None,
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Take a commit through every stage, environment by environment.

    Example: `slipway deliver . --revision main --until staging`
    """
    target = chosen(Named(context, registry, kubeconfig, builder, docker_host))
    local = Path(repository)
    parameters: dict[str, object] = {
        "repository": str(local.resolve()) if local.exists() else repository,
        "revision": revision,
        "until": until,
        "despite": despite,
        "target": dataclasses.asdict(target),
    }
    _start("deliver/deliver", parameters, wait=wait, as_json=as_json)


def rollback(  # noqa: PLR0913 one parameter an option
    environment: Annotated[str, typer.Argument(help="Environment to take back.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; it stands in the history.")],
    to: Annotated[
        int | None, typer.Option(help="Number of the rollout to restore; the one before if absent.")
    ] = None,
    application: Application = Path(),
    context: Context = None,
    registry: Registry = None,
    kubeconfig: Kubeconfig = None,
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Restore a whole earlier release, configuration included.

    Example: `slipway rollback prod --reason "checkout fails"`
    """
    place = place_of(
        load(application / "slipway.yaml"),
        environment,
        chosen(Named(context, registry, kubeconfig)),
    )
    parameters: dict[str, object] = {
        "application": place.application,
        "environment": place.name,
        "namespace": place.namespace,
        "target": dataclasses.asdict(place.target),
        "to": to,
        "reason": reason,
    }
    _start("rollback/rollback", parameters, wait=wait, as_json=as_json)


def approve(  # noqa: PLR0913 one parameter an option
    run: Annotated[str | None, typer.Argument(help="Run; the only waiting one if absent.")] = None,
    *,
    approver: Annotated[str, typer.Option("--as", prompt="Approver", help="Your name.")],
    code: Annotated[
        str,
        typer.Option(
            prompt="One-time code",
            hide_input=True,
            envvar="SLIPWAY_CODE",
            help="From your authenticator; asked for where absent.",
        ),
    ],
    reject: Annotated[bool, typer.Option("--reject", help="Say no.")] = False,
    comment: Annotated[str, typer.Option(help="Stands in the record.")] = "",
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Let a waiting release into its environment, or refuse it.

    Example: `slipway approve --as maria`
    """
    runs = connect()
    view = runs.named(run) if run else _only_waiting(runs)
    decision = "reject" if reject else "approve"
    form = {"approver": approver, "code": code, "decision": decision, "comment": comment}
    runs.answer(view.id, form)
    _finish(runs, view, wait=wait, as_json=as_json)


def logs(
    run: Annotated[str, typer.Argument(help="Id or name of a run.")],
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it is over.")] = False,
) -> None:
    """Print what a run said.

    Example: `slipway logs myfin@main -f`
    """
    runs, clock, newest = connect(), SystemClock(), None
    view = runs.named(run)
    while True:
        over = not follow or runs.view(view.id).over
        for instant, line in runs.log_lines(view.id, after=newest):
            console.print(f"[dim]{instant:%H:%M:%S}[/dim] {line}", markup=True)
            newest = instant
        if over:
            return
        clock.wait(LOOK_EVERY)


def _start(deployment: str, parameters: dict[str, object], *, wait: bool, as_json: bool) -> None:
    runs = connect()
    view = runs.view(runs.start(deployment, parameters))
    if not as_json:
        console.print(view.url)
    _finish(runs, view, wait=wait, as_json=as_json)


def _finish(runs: "Runs", view: "RunView", *, wait: bool, as_json: bool) -> None:
    if wait:
        views = runs.follow(view.id)
        view = list(views)[-1] if as_json else show_stages(views)
    if as_json:
        print_json(view)
    elif wait:
        _say_end(view)
    if wait and (status := EXITS.get(view.state, exits.NO)) != exits.OK:
        raise typer.Exit(status)


def _say_end(view: "RunView") -> None:
    match view.state:
        case "COMPLETED":
            console.print(f"[green]✓[/green] {view.name}")
        case "PAUSED":
            console.print(
                f"[yellow]…[/yellow] {view.name} waits for an approval: {view.url}\n"
                f"Next: slipway approve {view.id} --as NAME"
            )
        case _:
            console.print(f"[red]✗[/red] {view.name}: {view.message}", markup=True)


def _only_waiting(runs: "Runs") -> "RunView":
    waiting = runs.waiting()
    if len(waiting) != 1:
        names = ", ".join(f"{view.name} ({view.id})" for view in waiting) or "none"
        raise ConfigError(
            f"{len(waiting)} runs wait for an approval: {names}", next_step="name the run"
        )
    return waiting[0]
