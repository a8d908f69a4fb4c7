"""`slipway monitoring`: what watches an application, as files or in the lab."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.output import console, say, working
from infra.lab import alerting
from infra.lab.layout import current
from infra.monitoring import bundle
from infra.monitoring.routes import routes_of
from infra.webhook.keys import ensure_token
from infra.webhook.settings import settings
from tasks.core.application import Application
from tasks.core.config import load
from tasks.core.errors import ConfigError
from tasks.core.monitoring import Monitoring, Receiver

__all__ = ["load_into_lab", "monitoring"]


def monitoring(  # noqa: PLR0913 one parameter an option
    path: Annotated[
        Path, typer.Argument(help="Folder that holds the slipway.yaml, or the file itself.")
    ] = Path(),
    *,
    out: Annotated[Path | None, typer.Option(help="Folder to write the files to.")] = None,
    form: Annotated[
        bundle.Format,
        typer.Option("--format", help="For a Prometheus of files, or kube-prometheus-stack."),
    ] = "files",
    stack: Annotated[
        str, typer.Option(help="Helm release of kube-prometheus-stack, its label.")
    ] = "prometheus",
    into_lab: Annotated[
        bool, typer.Option("--load", help="Load rules and routes into the embedded lab.")
    ] = False,
    unload: Annotated[
        bool, typer.Option("--unload", help="Take them out of the embedded lab again.")
    ] = False,
    receiver: Annotated[
        str | None, typer.Option(help="With --load: another receiver than this instance's own.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="With --receiver: file that holds its bearer token.")
    ] = None,
) -> None:
    """Write rules, routes and dashboards of an application, or load them into the lab.

    Example: `slipway monitoring examples/myfin --out monitoring --format manifests`
    """
    if [out is not None, into_lab, unload].count(True) != 1:
        raise ConfigError("needs one of --out, --load and --unload")
    application = load(path)
    if out is not None:
        files = bundle.plain_files(application)
        if form == "manifests":
            files = bundle.manifests(application, stack)
        _write(files, out)
    elif into_lab:
        load_into_lab(application, receiver, token_file)
    else:
        found = alerting.remove(current(), application.application)
        word = "rules and routes are removed" if found else "nothing was loaded"
        say("✓", "green", f"{application.application}: {word}")


def _write(files: bundle.Files, folder: Path) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        console.print(str(file), markup=False)


def load_into_lab(
    application: Application, receiver: str | None = None, token_file: Path | None = None
) -> None:
    """Load an application's rules and routes into the lab, and say who is told.

    Args:
        application: what is watched.
        receiver: who is told of missed objectives; this instance's own receiver where None.
        token_file: holds the bearer token for it.

    Raises:
        SlipwayError: the lab does not run or refuses something; then nothing is changed.
    """
    if (receiver is None) != (token_file is None):
        raise ConfigError("--receiver and --token-file belong together")
    layout, name, own = current(), application.application, settings()
    address = receiver or own.alertmanager_url.removesuffix("/alertmanager")
    token = _read(token_file) if token_file else ensure_token(own.alertmanager_token)
    told = _told_in_lab(
        application.monitoring, Receiver(address, str(alerting.token_file(layout, name)))
    )
    routes = routes_of(replace(application, monitoring=told))
    rules = bundle.rule_files(application)
    with working("rules and routes are loaded"):
        alerting.install(layout, alerting.Watched(name, rules, routes, token))
    where = f"{', '.join(application.environments)} in {layout.prometheus}/alerts"
    say("✓", "green", f"{name}: rules of {where}")
    chat = told.slack and f"Slack {told.slack.channel}"
    for alerts, told_by in (
        ("missed objectives", address),
        ("critical alerts", "PagerDuty" if told.pagerduty else chat),
        ("warnings", chat),
    ):
        console.print(f"  {alerts}: {told_by or 'nobody is told'}", markup=False)


def _read(token_file: Path) -> str:
    try:
        return token_file.read_text().strip()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(token_file)) from error


def _told_in_lab(described: Monitoring, receiver: Receiver) -> Monitoring:
    """Leave out whom the lab cannot tell: their secrets are not on this machine."""
    slack, pagerduty = described.slack, described.pagerduty
    return replace(
        described,
        receiver=receiver,
        slack=slack if slack and Path(slack.url_file).exists() else None,
        pagerduty=pagerduty if pagerduty and Path(pagerduty.key_file).exists() else None,
    )
