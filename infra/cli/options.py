"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Application", "Builder", "Context", "DockerHost", "Json", "Kubeconfig", "Registry"]

TARGET = "Where to work"

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
