"""`slipway slack`: this machine's login to Slack."""

import getpass
import sys
from typing import Annotated

import typer
from pydantic import ValidationError

from infra.cli.options import Json
from infra.cli.output import console, print_json
from tasks.core.errors import ConfigError
from tasks.core.slack import API, Login, fetch_login, keep_login
from tasks.core.slack_client import Slack

__all__ = ["app"]

app = typer.Typer(help="Slack: news, and answers by its buttons.", no_args_is_help=True)


@app.command()
def login(
    *,
    api: Annotated[str, typer.Option(help="Base address of the Web API.")] = API,
) -> None:
    """Keep the bot's token and the app's signing secret, read from standard input, a line each.

    At a terminal they are asked for without an echo.

    Example: `slipway slack login < token-and-secret`
    """
    wanted = _login(_line("Bot token (xoxb-…)"), _line("Signing secret"), api)
    known = Slack(wanted).call("auth.test")
    keep_login(wanted)
    who = f"{known.get('user')} of {known.get('team')} ({known.get('url')})"
    console.print(f"[green]✓[/green] {who}")


@app.command()
def logout() -> None:
    """Forget the login: nothing is told in Slack, and nothing comes in from there.

    Example: `slipway slack logout`
    """
    keep_login(None)
    console.print("[green]✓[/green] forgotten")


@app.command()
def status(*, as_json: Json = False) -> None:
    """Say whether the login works.

    Example: `slipway slack status`
    """
    kept = fetch_login()
    if kept is None:
        raise ConfigError("nobody has logged in", where="Slack", next_step="slipway slack login")
    known = Slack(kept).call("auth.test")
    words = {key: str(known.get(key, "")) for key in ("user", "team", "url")}
    if as_json:
        print_json(words)
    else:
        console.print(f"{words['user']} of {words['team']} ({words['url']})")


def _login(token: str, secret: str, api: str) -> Login:
    try:
        if token.startswith("xox"):
            return Login(token, secret, api)
    except ValidationError:
        pass  # its text would quote what is secret
    raise ConfigError(
        "two lines are needed, the bot's token (xoxb-…) and the app's signing secret",
        where="standard input",
        next_step="copy them from api.slack.com/apps: OAuth & Permissions, Basic Information",
    )


def _line(words: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{words}: ").strip()
    return sys.stdin.readline().strip()
