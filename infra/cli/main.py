"""The command `slipway`."""

import sys

import typer
from rich.console import Console
from rich.text import Text
from typer._click.exceptions import ClickException

from infra.cli import approver, check, exits, init, machine, rollouts, runs
from infra.lab.cli import app as lab
from tasks.core.errors import SlipwayError

__all__ = ["app", "explain", "main"]

app = typer.Typer(
    name="slipway",
    help="Takes a commit to production and takes it back when it hurts users.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(machine.up)
app.command()(machine.down)
app.command()(machine.status)
app.command()(runs.deliver)
app.command()(rollouts.plan)
app.command()(runs.approve)
app.command("history")(rollouts.show_history)
app.command()(runs.rollback)
app.command()(runs.logs)
app.command()(check.check)
app.command()(init.init)
app.add_typer(lab, name="lab")
app.add_typer(approver.app, name="approver")


def main() -> None:
    """Run the command; a user's mistake is one clear line, never a stack trace."""
    try:
        sys.exit(app(standalone_mode=False) or exits.OK)
    except SlipwayError as error:
        sys.exit(explain(error))
    except ClickException as error:
        error.show()
        sys.exit(exits.USAGE)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(exits.INTERRUPTED)


def explain(error: SlipwayError) -> int:
    """Say an error in one line on the error stream and return the exit status for it."""
    text = Text.assemble(("✗ ", "red"), str(error))
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)
    return exits.code_for(error)
