"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Application",
    "Builder",
    "Context",
    "Despite",
    "DockerHost",
    "Json",
    "Kubeconfig",
    "Registry",
    "Run",
    "TlsCertificate",
    "TlsClientCa",
    "TlsKey",
    "TlsListen",
]

TARGET = "Where to work"
TLS = "The receiver's door with TLS"

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Application = Annotated[
    Path,
    typer.Option("--application", "-a", help="Folder that holds the application's slipway.yaml."),
]
Context = Annotated[
    str | None,
    typer.Option(help="Kube context; none is ever picked up silently.", rich_help_panel=TARGET),
]
Registry = Annotated[
    str | None,
    typer.Option(help="Registry and path, such as ghcr.io/me.", rich_help_panel=TARGET),
]
Kubeconfig = Annotated[
    str | None, typer.Option(help="File that holds the context.", rich_help_panel=TARGET)
]
Builder = Annotated[str | None, typer.Option(help="BuildKit's address.", rich_help_panel=TARGET)]
DockerHost = Annotated[
    str | None,
    typer.Option(help="Docker engine's address for smoke runs.", rich_help_panel=TARGET),
]
Despite = Annotated[
    str | None,
    typer.Option(help="Why a release that was taken back before should be tried again."),
]
TlsListen = Annotated[
    str | None,
    typer.Option(help="ADDRESS:PORT, such as 0.0.0.0:8443; off closes it.", rich_help_panel=TLS),
]
TlsCertificate = Annotated[
    Path | None, typer.Option(help="PEM file of its certificate.", rich_help_panel=TLS)
]
TlsKey = Annotated[Path | None, typer.Option(help="PEM file of its key.", rich_help_panel=TLS)]
TlsClientCa = Annotated[
    Path | None,
    typer.Option(
        help="PEM file of the authority whose certificates are Alertmanager's.",
        rich_help_panel=TLS,
    ),
]
Run = Annotated[str, typer.Argument(help="Name of a run, or its id or the beginning of it.")]
