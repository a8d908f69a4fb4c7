"""`slipway apply`: what an application's repository wants to be started by."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from infra import server
from infra.cli.output import console, say
from infra.cli.rollouts import described_in
from infra.webhook.model import Repository
from infra.webhook.settings import settings
from infra.webhook.store import Store
from tasks.core.errors import ConfigError, ToolFailed
from tasks.core.process import run
from tasks.source.decide import require_storable

__all__ = ["apply", "keep", "name_in"]

GIT_TIMEOUT = timedelta(seconds=30)


def apply(
    path: Annotated[Path, typer.Argument(help="Folder that holds the slipway.yaml.")] = Path(),
    *,
    address: Annotated[
        str | None,
        typer.Option(help="Where it is cloned from; git's remote `origin`, else the folder."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="GitHub's owner/name; taken from the address.")
    ] = None,
) -> None:
    """Register a repository, so that events about it start flows; and the flows themselves.

    Again after each change of triggers or environments in slipway.yaml.

    Example: `slipway apply .`
    """
    kept = keep(path, address or _origin(path) or str(path.resolve()), name)
    application = kept.application.application
    say("✓", "green", f"{kept.name}: {application}, cloned from {kept.address}")
    if server.daemons()[0].health().word == "up":
        server.register()
        say("✓", "green", "flows registered")
    else:
        console.print("Prefect's server is not up. Next: slipway up")


def keep(path: Path, address: str, name: str | None = None) -> Repository:
    """Let the receiver know a repository.

    Args:
        path: folder that holds its slipway.yaml.
        address: where it is cloned from.
        name: `owner/name`; what the address ends in where absent.

    Raises:
        ConfigError: slipway.yaml has a problem, or the address holds credentials.
    """
    require_storable(address)
    repository = Repository(name or name_in(address), address, described_in(path))
    store = Store(settings().store)
    try:
        store.register(repository)
    finally:
        store.close()
    return repository


def name_in(address: str) -> str:
    """Return the `owner/name` that an address ends in.

    Raises:
        ConfigError: it has none.
    """
    found = re.search(r"([\w.-]+)[/:]([\w.-]+?)(?:\.git)?/*$", address)
    if found is None:
        raise ConfigError(
            "ends in no owner/name", where=address, next_step="name it: --name owner/name"
        )
    return f"{found[1]}/{found[2]}"


def _origin(folder: Path) -> str | None:
    argv = ("git", "-C", str(folder), "remote", "get-url", "origin")
    try:
        return run(argv, timeout=GIT_TIMEOUT).stdout.strip() or None
    except ToolFailed:
        return None
