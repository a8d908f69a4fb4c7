"""`slipway promote`: a release of one environment into another one."""

import dataclasses
from typing import Annotated

import typer

from infra.cli.options import Context, Despite, Json, Kubeconfig, Registry
from infra.cli.runs import Wait, address_of, begin, started
from infra.target import Named, chosen

__all__ = ["promote"]


def promote(  # noqa: PLR0913 one parameter an option
    environment: Annotated[str, typer.Argument(help="Environment that gets the release.")],
    *,
    release: Annotated[
        str | None,
        typer.Option(help="Id of it, or number of a rollout there; what is live there if absent."),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option("--from", help="Environment that it comes from; the one before if absent."),
    ] = None,
    repository: Annotated[
        str, typer.Option(help="Path or address of the application's git repository.")
    ] = ".",
    despite: Despite = None,
    context: Context = None,
    registry: Registry = None,
    kubeconfig: Kubeconfig = None,
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Bring a release that runs in one environment to another one, through the same gates.

    Nothing is built: the same images, and the manifests that were rendered with them.

    Example: `slipway promote prod --from staging`
    """
    target = chosen(Named(context, registry, kubeconfig))
    parameters: dict[str, object] = {
        "repository": address_of(repository),
        "environment": environment,
        "release": release,
        "origin": origin,
        "despite": despite,
        "target": dataclasses.asdict(target),
    }
    begin(started("promote/promote", parameters), wait=wait, as_json=as_json)
