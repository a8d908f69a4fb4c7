"""`slipway apply`: what an application's repository wants to be started by."""

import re
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from infra import server
from infra.cli.output import console, say, working
from infra.cli.rollouts import described_in
from infra.server.registration import register
from infra.webhook.model import Repository
from infra.webhook.settings import settings
from infra.webhook.store import Store
from tasks.core.errors import ConfigError, ToolFailed
from tasks.core.process import run
from tasks.source.decide import require_storable

__all__ = ["apply", "forget", "keep", "name_in"]

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
    """Register a repository: events about it start flows, and people start them from Prefect's UI.

    Each flow gets a form of the application's own. Again after each change of triggers or
    environments in slipway.yaml; what is gone from there is deleted.

    Example: `slipway apply .`
    """
    kept = keep(path, address or _origin(path) or str(path.resolve()), name)
    application = kept.application.application
    say("✓", "green", f"{kept.name}: {application}, cloned from {kept.address}")
    _register()


def forget(
    repository: Annotated[
        str, typer.Argument(help="Folder that holds the slipway.yaml, or GitHub's owner/name.")
    ],
) -> None:
    """Know a repository no more: its events start nothing, and its forms are deleted.

    What runs in its environments stays, and so does their history.

    Example: `slipway forget idgstone/myfin`
    """
    name = _known_as(repository)
    with closing(Store(settings().store)) as store:
        known = store.forget(name)
        names = ", ".join(each.name for each in store.repositories()) or "none"
    if not known:
        raise ConfigError("is not registered", where=name, next_step=f"registered are: {names}")
    say("✓", "green", f"{name} is forgotten")
    _register()


def _known_as(repository: str) -> str:
    """Return the `owner/name` under which `slipway apply` has registered a repository."""
    folder = Path(repository)
    if not folder.is_dir():
        return repository
    return name_in(_origin(folder) or str(folder.resolve()))


def _register() -> None:
    if server.daemons()[0].health().word != "up":
        console.print("Prefect's server is not up. Next: slipway up")
        return
    with working("Prefect learns the flows and their forms"):
        deleted = register()
    for gone in deleted:
        say("✓", "green", f"{gone} deleted")
    say("✓", "green", "flows registered")


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
    with closing(Store(settings().store)) as store:
        store.register(repository)
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
