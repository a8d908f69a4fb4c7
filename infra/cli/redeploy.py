"""`slipway redeploy`: a night's work by day."""

import dataclasses
from typing import Annotated

import typer

from infra.cli.options import Builder, Context, DockerHost, Json, Kubeconfig, Registry
from infra.cli.runs import Wait, address_of, begin, started
from infra.target import Named, chosen

__all__ = ["redeploy"]


def redeploy(  # noqa: PLR0913 one parameter an option
    repository: Annotated[
        str, typer.Argument(metavar="PATH", help="Path or address of a git repository.")
    ] = ".",
    *,
    environment: Annotated[
        str | None, typer.Option("--env", help="The only environment; all if absent.")
    ] = None,
    context: Context = None,
    registry: Registry = None,
    kubeconfig: Kubeconfig = None,
    builder: Builder = None,
    docker_host: DockerHost = None,
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Build what is live again where its base images are others today, and roll it out.

    The same commits; through the same gates as a delivery. Where nothing has changed, nothing is
    rolled out. What runs is looked at with today's vulnerability database in any case.

    Example: `slipway redeploy . --env dev`
    """
    target = chosen(Named(context, registry, kubeconfig, builder, docker_host))
    parameters: dict[str, object] = {
        "repository": address_of(repository),
        "environment": environment,
        "target": dataclasses.asdict(target),
    }
    begin(started("redeploy/redeploy", parameters), wait=wait, as_json=as_json)
