"""`slipway access`: an identity for each environment, with the rights that it needs and no more."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
import yaml

from infra.cli.options import Application, Context, Kubeconfig
from infra.cli.output import say
from infra.cli.rollouts import Name, connected, place_in
from infra.target import Named
from tasks.core import process
from tasks.core.cluster import OWN_NAMESPACE
from tasks.core.files import write_whole
from tasks.core.objects import Object, dump_stream, read_document
from tasks.core.target import Target
from tasks.core.units import parse_duration
from tasks.release.effects import render
from tasks.rollout.access import account_of, grants
from tasks.rollout.model import Place

__all__ = ["access"]

KUBECTL_TIMEOUT = timedelta(seconds=30)


def access(  # noqa: PLR0913 one parameter an option
    environment: Name,
    *,
    write: Annotated[
        Path | None,
        typer.Option(help="Write a kubeconfig for the identity, which has to be there already."),
    ] = None,
    valid: Annotated[str, typer.Option(help="How long its token is good for.")] = "2160h",
    application: Application = Path(),
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Print the identity and the rights with which an environment is rolled out; changes nothing.

    Who may grant rights in the cluster applies them once, and again when manifests of a new kind
    come in. Then --write makes the kubeconfig that `slipway up` is given.

    Example: `slipway access prod | kubectl apply -f -`, then
    `slipway access prod --write ~/.kube/slipway-prod`
    """
    place = place_in(application, environment, Named(context, kubeconfig=kubeconfig))
    if write is not None:
        write_whole(write, _kubeconfig(place, valid))
        say("✓", "green", f"{write} is good for {valid} as {OWN_NAMESPACE}/{account_of(place)}")
        return
    overlay = application / place.environment.overlay
    sys.stdout.write(dump_stream(_granted(place, render(overlay, place.target.kubectl))))


def _granted(place: Place, wanted: tuple[Object, ...]) -> tuple[Object, ...]:
    with connected(place.target) as cluster:
        return grants(place, wanted, cluster.resource)


def _kubeconfig(place: Place, valid: str) -> bytes:
    """Return a kubeconfig for an environment's identity, with a context of the same name."""
    target = place.target
    seconds = int(parse_duration(valid).total_seconds())
    duration = ("--duration", f"{seconds}s")
    token = _kubectl(target, "create", "token", account_of(place), "-n", OWN_NAMESPACE, *duration)
    view = read_document(_kubectl(target, "config", "view", "--minify", "--raw", "--flatten"))
    name = account_of(place)
    context = {**view["contexts"][0]["context"], "user": name}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": view["clusters"],
            "users": [{"name": name, "user": {"token": token.strip()}}],
            "contexts": [{"name": name, "context": context}],
            "current-context": name,
        }
    ).encode()


def _kubectl(target: Target, *words: str) -> str:
    argv = (target.kubectl, "--kubeconfig", target.kubeconfig, "--context", target.context, *words)
    return process.run(argv, timeout=KUBECTL_TIMEOUT).stdout
