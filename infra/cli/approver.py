"""`slipway approver add | list | remove | slack`: the people behind the names in slipway.yaml."""

import io
import sys
from typing import Annotated

import pyotp
import segno
import typer

from infra.cli.options import Json
from infra.cli.output import console, print_json, table
from tasks.approval.approvers import FileApprovers
from tasks.approval.effects import dismiss, enrol
from tasks.approval.model import Approver, Attempt
from tasks.approval.proof import is_locked
from tasks.approval.slack import link, require_user
from tasks.core.clock import utc_now
from tasks.core.errors import ConfigError

__all__ = ["app", "qr_code"]

app = typer.Typer(help="People who may approve, each with an authenticator.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name, as slipway.yaml lists it.")]


@app.command()
def add(
    name: Name,
    *,
    email: Annotated[
        list[str], typer.Option(help="Address under which this person commits; repeatable.")
    ],
    slack: Annotated[
        str, typer.Option(help="User id in Slack, such as U0123ABCD, to answer there too.")
    ] = "",
    show_secret: Annotated[
        bool, typer.Option("--show-secret", help="Print the secret alone instead of a QR code.")
    ] = False,
) -> None:
    """Enrol somebody and show the QR code for their authenticator, once.

    Example: `slipway approver add maria --email maria@example.com`
    """
    if not show_secret and not console.is_terminal:
        raise ConfigError(
            "a QR code needs a terminal", next_step="add --show-secret to print the secret alone"
        )
    require_user(slack, name)
    secret = enrol(name, tuple(email))
    if slack:
        link(name, slack)
    if show_secret:
        sys.stdout.write(f"{secret}\n")
        return
    sys.stdout.write(qr_code(secret, name))
    console.print(f"[green]✓[/green] {name} may approve where slipway.yaml lists them.")
    console.print("Scan this with an authenticator now: it is not shown again.")


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """List who is enrolled, without their secrets.

    Example: `slipway approver list --json`
    """
    people = FileApprovers().everybody()
    if as_json:
        print_json([_row(one) for one in people])
        return
    if not people:
        console.print("nobody is enrolled. Next: slipway approver add NAME --email ADDRESS")
        return
    rows = (tuple(row.values()) for row in map(_row, people))
    table(("NAME", "E-MAIL", "SLACK", "STATE"), rows)


@app.command()
def remove(name: Name) -> None:
    """Forget somebody; their codes count no more.

    Example: `slipway approver remove maria`
    """
    dismiss(name)
    console.print(f"[green]✓[/green] {name} removed")


@app.command("slack")
def slack_(
    name: Name,
    user: Annotated[
        str, typer.Argument(help="Their user id in Slack; nobody's where absent.")
    ] = "",
) -> None:
    """Let somebody answer in Slack, or no more; the id stands in their profile there.

    Example: `slipway approver slack maria U0123ABCD`
    """
    link(name, user)
    what = f"answers in Slack as {user}" if user else "answers in Slack no more"
    console.print(f"[green]✓[/green] {name} {what}")


def qr_code(secret: str, name: str) -> str:
    """Draw what an authenticator scans (an otpauth address) with half blocks."""
    address = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Slipway")
    drawing = io.StringIO()
    segno.make(address, error="m").terminal(out=drawing, compact=True)
    return drawing.getvalue()


def _row(approver: Approver) -> dict[str, str]:
    locked = is_locked(approver, Attempt(utc_now(), ""))
    state = "locked after 5 wrong codes" if locked else "ok"
    emails = ", ".join(approver.emails)
    return {"name": approver.name, "emails": emails, "slack": approver.slack, "state": state}
