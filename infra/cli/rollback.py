"""`slipway rollback`: a whole earlier release, by hand."""

import dataclasses
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.options import Application, Context, Json, Kubeconfig, Registry
from infra.cli.rollouts import described_in
from infra.cli.runs import Wait, approve, begin
from infra.server import connect, start
from infra.target import Named, chosen
from tasks.rollout.place import place_of

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
    described = described_in(application)
    place = place_of(described, environment, chosen(Named(context, registry, kubeconfig)))
    parameters: dict[str, object] = {
        "application": place.application,
        "environment": place.name,
        "namespace": place.namespace,
        "target": dataclasses.asdict(place.target),
        "to": int(to) if to and to.isdecimal() else to,
        "reason": reason,
        "actor": getpass.getuser(),
    }
    run = start("rollback/rollback", parameters, f"roll back {place}")
    if wait and (approver or sys.stdin.isatty()) and _asks(run):
        approve(str(run), approver=approver, code=code, as_json=as_json)
    else:
        begin(run, wait=wait, as_json=as_json)


def _asks(run: "UUID") -> bool:
    """Say whether a run comes to wait for an approver before it acts."""
    for view in connect().follow(run):
        if view.state == "PAUSED":
            return True
        if any(stage.name.endswith(ACTS) for stage in view.stages):
            return False
    return False
