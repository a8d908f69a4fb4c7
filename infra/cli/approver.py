"""`slipway approver add | list | remove | unlock | slack`: who the names in slipway.yaml are."""

import io
import sys
from typing import Annotated

import pyotp
import segno
import typer

from infra.cli.options import Context, Json, Kubeconfig
from infra.cli.output import console, print_json, table
from infra.cli.trail import own_cluster, write_down
from infra.target import Named
from tasks.approval.approvers import SecretApprovers
from tasks.approval.effects import dismiss, enrol
from tasks.approval.effects import unlock as forget_failures
from tasks.approval.model import Approver, Attempt
from tasks.approval.proof import is_locked
from tasks.approval.slack import link, require_user
from tasks.audit import Act, Subject
from tasks.core.clock import utc_now
from tasks.core.cluster import OWN_NAMESPACE, Objects
from tasks.core.errors import ConfigError, SlipwayError

__all__ = ["add_approver", "app", "qr_code"]

app = typer.Typer(help="People who may approve, each with an authenticator.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name, as slipway.yaml lists it.")]


@app.command()
def add(  # noqa: PLR0913 one parameter an option
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
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Enrol somebody and show the QR code for their authenticator, once.

    Example: `slipway approver add maria --email maria@example.com`
    """
    if not show_secret and not console.is_terminal:
        raise ConfigError(
            "a QR code needs a terminal", next_step="add --show-secret to print the secret alone"
        )
    with own_cluster(Named(context, kubeconfig=kubeconfig)) as cluster:
        approvers = SecretApprovers(cluster)
        require_user(slack, name, approvers)
        secret = add_approver(name, tuple(email), cluster)
        if slack:
            link(name, slack, approvers)
            _note(Act.APPROVER_LINKED, name, cluster, slack)
    if show_secret:
        sys.stdout.write(f"{secret}\n")
        return
    sys.stdout.write(qr_code(secret, name))
    console.print(f"[green]✓[/green] {name} may approve where slipway.yaml lists them.")
    console.print("Scan this with an authenticator now: it is not shown again.")


@app.command("list")
def list_(*, context: Context = None, kubeconfig: Kubeconfig = None, as_json: Json = False) -> None:
    """List who is enrolled, without their secrets.

    Example: `slipway approver list --json`
    """
    with own_cluster(Named(context, kubeconfig=kubeconfig)) as cluster:
        people = SecretApprovers(cluster).everybody()
    if as_json:
        print_json([_row(one) for one in people])
        return
    if not people:
        console.print("nobody is enrolled. Next: slipway approver add NAME --email ADDRESS")
        return
    rows = (tuple(row.values()) for row in map(_row, people))
    table(("NAME", "E-MAIL", "SLACK", "STATE"), rows)


@app.command()
def remove(name: Name, *, context: Context = None, kubeconfig: Kubeconfig = None) -> None:
    """Forget somebody; their codes count no more.

    Example: `slipway approver remove maria`
    """
    with own_cluster(Named(context, kubeconfig=kubeconfig)) as cluster:
        dismiss(name, SecretApprovers(cluster))
        console.print(f"[green]✓[/green] {name} removed")
        _note(Act.APPROVER_REMOVED, name, cluster)


@app.command()
def unlock(name: Name, *, context: Context = None, kubeconfig: Kubeconfig = None) -> None:
    """Let somebody answer again who was locked after wrong codes.

    Example: `slipway approver unlock maria`
    """
    with own_cluster(Named(context, kubeconfig=kubeconfig)) as cluster:
        forget_failures(name, SecretApprovers(cluster))
        console.print(f"[green]✓[/green] {name} may answer again")
        _note(Act.APPROVER_UNLOCKED, name, cluster)


def add_approver(name: str, emails: tuple[str, ...], cluster: Objects) -> str:
    """Enrol somebody, write that down, and return the secret for their authenticator (base32).

    Raises:
        ConfigError: the name is taken, or name or addresses cannot be used.
        SlipwayError: it could not be written down, and nobody was enrolled.
    """
    approvers = SecretApprovers(cluster)
    secret = enrol(name, emails, approvers)
    try:
        _note(Act.APPROVER_ADDED, name, cluster, f"commits as {', '.join(emails)}")
    except SlipwayError:
        dismiss(name, approvers)
        raise
    return secret


def _note(act: Act, name: str, cluster: Objects, reason: str = "") -> None:
    write_down(act, Subject(person=name), reason, OWN_NAMESPACE, cluster)


@app.command("slack")
def slack_(
    name: Name,
    user: Annotated[
        str, typer.Argument(help="Their user id in Slack; nobody's where absent.")
    ] = "",
    *,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Let somebody answer in Slack, or no more; the id stands in their profile there.

    Example: `slipway approver slack maria U0123ABCD`
    """
    with own_cluster(Named(context, kubeconfig=kubeconfig)) as cluster:
        link(name, user, SecretApprovers(cluster))
        _note(Act.APPROVER_LINKED, name, cluster, user or "nobody in Slack")
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
