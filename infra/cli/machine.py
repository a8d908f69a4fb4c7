"""`slipway up | down | status | version`: the processes on this machine."""

import json
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version as installed
from typing import Annotated, Any

import typer

from infra import server
from infra.cli import exits
from infra.cli.options import (
    Builder,
    Context,
    DockerHost,
    Json,
    Kubeconfig,
    Registry,
    TlsCertificate,
    TlsClientCa,
    TlsKey,
    TlsListen,
)
from infra.cli.output import console, say, table, working
from infra.lab import cli as lab_cli
from infra.lab import lifecycle as lab
from infra.lab.layout import current
from infra.server.registration import register
from infra.server.settings import USER, listen_at, reports_address
from infra.server.settings import server as prefect_server
from infra.target import Named, choose, chosen
from infra.webhook import tls
from infra.webhook.settings import settings
from tasks.core.errors import ConfigError, SlipwayError
from tasks.core.paths import state_dir
from tasks.core.target import Target

__all__ = ["Part", "down", "lab_word", "status", "up", "version"]

WORDS = {"up": "up", "healthy": "up", "starting": "degraded", "unhealthy": "degraded"}
"""What each part says of itself, in the three words of `slipway status`; all else is down."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the status; health is up, degraded or down."""

    name: str
    health: str
    where: str
    pid: int | None = None


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
    listen: Annotated[
        str | None,
        typer.Option(help="IP address for Prefect's UI and API; with a password beyond loopback."),
    ] = None,
    tls_listen: TlsListen = None,
    tls_certificate: TlsCertificate = None,
    tls_key: TlsKey = None,
    tls_client_ca: TlsClientCa = None,
) -> None:
    """Start Prefect's server, the worker, the receiver of events and the reports' pages.

    A keeper starts again, at once, what of them dies.

    Example: `slipway up --lab`, or `slipway up --context staging --registry ghcr.io/me`
    """
    named = Named(context, registry, kubeconfig, builder, docker_host)
    if with_lab and any((context, registry, kubeconfig, builder, docker_host)):
        raise ConfigError("--lab names the whole target itself", next_step="leave the others out")
    if listen is not None:
        _listen(listen)
    door = tls.named(
        tls.Named(tls_listen, tls_certificate, tls_key, tls_client_ca), tls.chosen(settings().tls)
    )
    server.require_free_ports(server.daemons())
    if tls.keep(door, settings().tls):
        server.daemon("receiver").stop()  # which is started again below
    if with_lab:
        lab_cli.up()
    target = lab.target() if with_lab else chosen(named)
    choose(target)
    with working("Prefect's server, the worker, the receiver, the reports and their keeper start"):
        started = server.up()
    for health in started:
        say("✓", "green", f"{health.name} {health.word}")
    with working("the flows are registered"):
        register()
    say("✓", "green", f"flows registered for {target.context} and {target.registry}")
    console.print(f"Prefect UI: {_sign_in()}")
    console.print(f"reports: {reports_address()}")
    console.print(f"webhooks: {settings().url}/github")
    if door:
        console.print(f"          with TLS on {door.listen}")


def _listen(address: str) -> None:
    """Change where Prefect listens; a server that runs would go on where it is."""
    before = prefect_server()
    if before.host != address and server.daemons()[0].process() is not None:
        raise ConfigError(
            f"Prefect's server runs already, on {before.host}", next_step="slipway down first"
        )
    listen_at(address)


def _sign_in() -> str:
    """Say where the UI is, and with what one gets in."""
    prefect = prefect_server()
    if prefect.password() is None:
        return prefect.ui
    return f"{prefect.ui} (sign in with {USER}: and the password in {prefect.password_file})"


def down(
    *,
    with_lab: Annotated[bool, typer.Option("--lab", help="End the embedded lab too.")] = False,
    purge: Annotated[bool, typer.Option(help="With --lab: remove all state, history too.")] = False,
) -> None:
    """End what `up` started; runs go on at the next start.

    Example: `slipway down --lab`
    """
    if purge and not with_lab:
        raise ConfigError("--purge removes the lab's state too", next_step="add --lab")
    with working("the keeper, the reports, the receiver, the worker and Prefect's server end"):
        server.down()
    console.print(
        "the keeper, the reports, the receiver, the worker and Prefect's server have ended"
    )
    if with_lab:
        lab_cli.down(purge=purge)
    if purge:
        shutil.rmtree(state_dir(), ignore_errors=True)


def status(*, as_json: Json = False) -> None:
    """Say in one word how each part is, where Slipway works and what waits for an approval.

    Exit code 1 where a part that is needed is not up.

    Example: `slipway status --json`
    """
    target = _target()
    parts = (*(_daemon(each) for each in server.daemons()), *_lab_parts(target))
    waiting, recent = _runs(parts)
    if as_json:
        content = {
            "parts": [asdict(part) for part in parts],
            "target": asdict(target) if target else None,
            "waiting": waiting,
            "runs": recent,
        }
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
    else:
        _show(parts, target, waiting, recent)
    if any(part.health != "up" for part in parts):
        raise typer.Exit(exits.NO)


def version(*, as_json: Json = False) -> None:
    """Say which Slipway this is, and what it stands on.

    Example: `slipway version --json`
    """
    found = {name: installed(name) for name in ("slipway", "prefect", "kubernetes")}
    found["python"] = platform.python_version()
    if as_json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    rest = ", ".join(f"{name} {found[name]}" for name in ("prefect", "kubernetes", "python"))
    console.print(f"slipway {found['slipway']} ({rest})")


def lab_word(health: str) -> str:
    """Return one of the three words for what a part says of itself."""
    return WORDS.get(health, "down")


def _target() -> Target | None:
    try:
        return chosen()
    except ConfigError:
        return None


def _daemon(daemon: server.Daemon) -> Part:
    health = daemon.health()
    where = daemon.address or str(daemon.log)
    return Part(health.name, lab_word(health.word), where, health.pid)


def _lab_parts(target: Target | None) -> tuple[Part, ...]:
    """The lab counts where it is the target."""
    layout = current()
    if target is None or target.kubeconfig != str(layout.kubeconfig):
        return ()
    try:
        health = lab.status().health
    except SlipwayError:
        health = lab.Health.DOWN
    return (Part("lab", lab_word(health.value), layout.api_server),)


def _runs(parts: tuple[Part, ...]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What waits, and the newest runs; nothing while Prefect's server is not up."""
    if parts[0].health != "up":
        return [], []
    runs = server.connect()
    waiting, recent = (
        [
            {
                "id": str(view.id),
                "short_id": view.short_id,
                "name": view.name,
                "state": view.word,
                "url": view.url,
            }
            for view in views
        ]
        for views in (runs.waiting(), runs.recent(5))
    )
    return waiting, recent


def _show(
    parts: tuple[Part, ...],
    target: Target | None,
    waiting: list[dict[str, Any]],
    recent: list[dict[str, Any]],
) -> None:
    rows = [(part.name, part.health, str(part.pid or ""), part.where) for part in parts]
    table(("PART", "HEALTH", "PID", "WHERE"), rows)
    if target is None:
        console.print("target: none was named. Next: slipway up --lab, or --context and --registry")
    else:
        context = target.context or "each environment's own"
        console.print(f"target: context {context}, registry {target.registry}", markup=False)
    if recent:
        table(
            ("RUN", "STATE", "NAME"),
            [(run["short_id"], run["state"].lower(), run["name"]) for run in recent],
        )
    for run in waiting:
        say(
            "…",
            "yellow",
            f"{run['name']} waits: slipway approve {run['short_id']}, or {run['url']}",
        )
