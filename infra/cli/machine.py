"""`slipway up | down | status`: the processes on this machine."""

import shutil
import sys
from typing import Annotated

import typer

from infra import server
from infra.cli.options import Builder, Context, DockerHost, Json, Kubeconfig, Registry
from infra.cli.output import console, print_json, table
from infra.lab import cli as lab_cli
from infra.server.settings import server as prefect_server
from infra.target import Named, choose, chosen, lab_target
from tasks.core.errors import ConfigError
from tasks.core.paths import state_dir

__all__ = ["down", "status", "up"]


def up(  # noqa: PLR0913 one parameter an option
    *,
    with_lab: Annotated[
        bool, typer.Option("--lab", help="Start the embedded lab and work with it.")
    ] = False,
    context: Context = None,
    registry: Registry = None,
    kubeconfig: Kubeconfig = None,
    builder: Builder = None,
    docker_host: DockerHost = None,
) -> None:
    """Start Prefect's server and the worker, and register the flows.

    Example: `slipway up --lab`, or `slipway up --context staging --registry ghcr.io/me`
    """
    named = Named(context, registry, kubeconfig, builder, docker_host)
    if with_lab and any((context, registry, kubeconfig, builder, docker_host)):
        raise ConfigError("--lab names the whole target itself", next_step="leave the others out")
    if with_lab:
        lab_cli.up()
    target = lab_target() if with_lab else chosen(named)
    choose(target)
    for health in server.up():
        console.print(f"[green]✓[/green] {health.name} {health.word}")
    server.register()
    console.print(f"[green]✓[/green] flows registered for {target.context} and {target.registry}")
    console.print(f"Prefect UI: {prefect_server().ui}")


def down(
    *,
    with_lab: Annotated[bool, typer.Option("--lab", help="End the embedded lab too.")] = False,
    purge: Annotated[bool, typer.Option(help="With --lab: remove all state, history too.")] = False,
) -> None:
    """End Prefect's server and the worker; waiting and running runs go on at the next start.

    Example: `slipway down --lab`
    """
    server.down()
    console.print("Prefect's server and the worker have ended")
    if with_lab:
        lab_cli.down(purge=purge)
    if purge:
        shutil.rmtree(state_dir(), ignore_errors=True)


def status(*, as_json: Json = False) -> None:
    """Say in one word how each part is. Exit status 1 where one is not up.

    Example: `slipway status --json`
    """
    parts = tuple(daemon.health() for daemon in server.daemons())
    if as_json:
        print_json(parts)
    else:
        table(("PART", "HEALTH", "PID", "WHERE"), [
            (part.name, part.word, str(part.pid or ""), part.detail) for part in parts
        ])  # fmt: skip
    if any(part.word != "up" for part in parts):
        raise typer.Exit(1)
