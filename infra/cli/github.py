"""`slipway github login | status | logout`: whom GitHub knows this machine as."""

import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

import typer

from infra.cli.options import Json
from infra.cli.output import console, print_json, say
from tasks.core.clock import utc_now
from tasks.core.errors import ConfigError
from tasks.core.github import github
from tasks.core.github_login import (
    API,
    AppKey,
    Login,
    PersonalToken,
    app_token,
    fetch_login,
    keep_login,
)

__all__ = ["app"]

app = typer.Typer(help="The account that tells GitHub how far a commit is.", no_args_is_help=True)

LONGEST_SECRET = 20_000
LOOPBACK = ("127.0.0.1", "localhost", "::1")
QUICK = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Status:
    """Who we are to GitHub; permissions as it says them, empty where it does not."""

    api: str
    kind: str
    name: str
    permissions: tuple[str, ...] = ()


@app.command()
def login(
    *,
    api: Annotated[
        str, typer.Option(help="Address of the REST API; https://HOST/api/v3 of a server.")
    ] = API,
    app_id: Annotated[
        str, typer.Option("--app", help="Client id of a GitHub App, whose private key is read.")
    ] = "",
    host: Annotated[
        str, typer.Option(help="What addresses of repositories name, where it is another host.")
    ] = "",
) -> None:
    """Read a token, or with --app an App's private key, from standard input, and keep it.

    It is in no argument and no log; GitHub is asked whether it counts before it is kept.

    Example: `slipway github login < token`, or `slipway github login --app Iv23… < key.pem`
    """
    _require_safe(api)
    if sys.stdin.isatty():
        console.print("The token, or the key, and then Ctrl-D:")
    secret = sys.stdin.read(LONGEST_SECRET).strip()
    if not secret:
        raise ConfigError(
            "there is no secret on standard input", next_step="slipway github login < token"
        )
    who = AppKey(app_id, secret) if app_id else PersonalToken(secret)
    if isinstance(who, AppKey):
        app_token(who, utc_now())
    wanted = Login(who, api.rstrip("/"), host)
    found = _ask(wanted)
    keep_login(wanted)
    say("✓", "green", f"{found.name} tells {wanted.web} from now on")


@app.command()
def status(*, as_json: Json = False) -> None:
    """Ask GitHub who we are and what we may.

    Example: `slipway github status --json`
    """
    found = _ask(_kept())
    if as_json:
        print_json(found)
        return
    say("✓", "green", f"{found.name} ({found.kind}) at {found.api}")
    console.print(f"permissions: {', '.join(found.permissions) or 'GitHub does not say'}")


@app.command()
def logout() -> None:
    """Forget the secret; GitHub is told nothing from now on. Revoke it there, too.

    Example: `slipway github logout`
    """
    keep_login(None)
    console.print("[green]✓[/green] forgotten here; revoke it at GitHub, too")


def _kept() -> Login:
    found = fetch_login()
    if found is None:
        raise ConfigError("nobody is logged in", "GitHub", "slipway github login < token")
    return found


def _ask(login: Login) -> Status:
    with github(login, QUICK) as client:
        if isinstance(login.who, PersonalToken):
            name = str(client.ask("GET", "/user")["login"])
            return Status(login.api, "token", name)
        told = client.ask("GET", "/app")
    permissions = tuple(f"{name}={what}" for name, what in sorted(told["permissions"].items()))
    return Status(login.api, "app", f"{told['slug']}[bot]", permissions)


def _require_safe(api: str) -> None:
    """Refuse an address to which a secret would go in the clear."""
    parts = urlsplit(api)
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (parts.scheme == "https" or is_local) or not parts.hostname or parts.username:
        raise ConfigError(
            "is no https:// address without credentials",
            where=f"--api {parts._replace(netloc=parts.netloc.rpartition('@')[2]).geturl()}",
            next_step=f"leave it out for {API}",
        )
