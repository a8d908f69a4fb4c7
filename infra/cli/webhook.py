"""`slipway webhook`: secrets that GitHub signs with, and the events that came."""

import sys
from typing import Annotated

import typer

from infra.cli import exits
from infra.cli.options import Json
from infra.cli.output import console, print_json, table
from infra.webhook.keys import Keys
from infra.webhook.lookout import look
from infra.webhook.model import Kept
from infra.webhook.reconcile import Kind
from infra.webhook.settings import settings
from infra.webhook.store import Store
from tasks.core.clock import utc_now
from tasks.core.errors import ConfigError

__all__ = ["app"]

app = typer.Typer(
    help="Events from outside, and the secrets that prove them.", no_args_is_help=True
)
secret = typer.Typer(help="Secrets that GitHub signs with; several count.", no_args_is_help=True)
app.add_typer(secret, name="secret")

Name = Annotated[str, typer.Argument(help="Any name, to tell several secrets apart.")]


@secret.command()
def add(
    name: Name = "github",
    *,
    given: Annotated[
        bool, typer.Option("--stdin", help="Read the secret from standard input.")
    ] = False,
) -> None:
    """Make a secret for a webhook of GitHub's and print it, once.

    Several count side by side: add the new one, change it at GitHub, remove the old one.

    Example: `slipway webhook secret add github-2027`
    """
    made = Keys(settings().secrets).add(
        name, utc_now(), sys.stdin.readline().strip() if given else ""
    )
    if given:
        console.print(f"[green]✓[/green] {name} counts from now on")
        return
    sys.stdout.write(f"{made}\n")


@secret.command("list")
def list_(*, as_json: Json = False) -> None:
    """List the secrets by name, without what is secret.

    Example: `slipway webhook secret list`
    """
    rows = [
        (key.name, f"{key.created_at:%Y-%m-%d %H:%M}") for key in Keys(settings().secrets).all()
    ]
    if as_json:
        print_json([{"name": name, "created": created} for name, created in rows])
    elif rows:
        table(("NAME", "CREATED"), rows)
    else:
        console.print("there is none, so GitHub is refused. Next: slipway webhook secret add")


@secret.command()
def remove(name: Name) -> None:
    """Forget a secret; what is signed with it is refused at once.

    Example: `slipway webhook secret remove github-2026`
    """
    Keys(settings().secrets).remove(name)
    console.print(f"[green]✓[/green] {name} counts no more")


@app.command()
def events(
    *,
    most: Annotated[int, typer.Option("--most", "-n", help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """List the newest events and what became of each.

    Example: `slipway webhook events -n 5`
    """
    store = Store(settings().store)
    try:
        found = store.newest(most)
    finally:
        store.close()
    if as_json:
        print_json(found)
    elif found:
        table(("RECEIVED", "EVENT", "ABOUT", "STATE", "WHY"), map(_row, found))
    else:
        console.print(f"none has come to {settings().url}")


@app.command()
def reconcile(*, as_json: Json = False) -> None:
    """Look at GitHub for events that never came; the receiver does so every five minutes.

    What failed is asked for again, heads of branches that no push has told of are delivered.

    Example: `slipway webhook reconcile`
    """
    store = Store(settings().store)
    try:
        found = look(store, utc_now())
    finally:
        store.close()
    if found is None:
        raise ConfigError("nobody has logged in to GitHub", next_step="slipway github login")
    if as_json:
        print_json(found)
    elif found:
        table(("REPOSITORY", "FOUND", "WHAT"), [(f.repository, f.kind, f.what) for f in found])
    else:
        console.print("nothing is missing")
    if any(each.kind is Kind.FAILED for each in found):
        raise typer.Exit(exits.UNAVAILABLE)


def _row(kept: Kept) -> tuple[str, ...]:
    event, outcome = kept.event, kept.outcome
    about = f"{event.subject} {event.ref}".strip()
    why = f"{outcome.run[:8]} {outcome.reason}".strip()
    return f"{kept.received_at:%m-%d %H:%M:%S}", event.name, about, outcome.state.value, why
