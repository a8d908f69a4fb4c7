"""The command `slipway`."""

import os
import sys
import traceback
from collections.abc import Callable

import httpx
import typer
from rich.console import Console
from rich.text import Text
from typer._click.exceptions import ClickException

from infra.cli import (
    apply,
    approver,
    check,
    database,
    dora,
    exits,
    init,
    machine,
    monitoring,
    release,
    rollouts,
    runs,
    show,
    webhook,
)
from infra.lab.cli import app as lab
from tasks.core.errors import SlipwayError, Unavailable
from tasks.core.paths import state_dir

__all__ = ["app", "explain", "main"]


app = typer.Typer(
    name="slipway",
    epilog=exits.EPILOG,
    help="Takes a commit to production and takes it back when it hurts users.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("up", machine.up),
    ("down", machine.down),
    ("status", machine.status),
    ("apply", apply.apply),
    ("deliver", runs.deliver),
    ("plan", rollouts.plan),
    ("approve", runs.approve),
    ("history", rollouts.show_history),
    ("show", show.show),
    ("dora", dora.dora),
    ("rollback", runs.rollback),
    ("logs", runs.logs),
    ("cancel", runs.cancel),
    ("monitoring", monitoring.monitoring),
    ("check", check.check),
    ("init", init.init),
    ("update-database", database.update_database),
    ("version", machine.version),
)
for _name, _function in COMMANDS:
    app.command(_name, epilog=exits.EPILOG)(_function)


def _tell_exit_codes(group: typer.Typer) -> None:
    for command in group.registered_commands:
        command.epilog = exits.EPILOG
    for below in group.registered_groups:
        if below.typer_instance:
            _tell_exit_codes(below.typer_instance)


GROUPS = (
    ("lab", lab),
    ("approver", approver.app),
    ("release", release.app),
    ("webhook", webhook.app),
)
for _name, _group in GROUPS:
    _tell_exit_codes(_group)
    app.add_typer(_group, name=_name, epilog=exits.EPILOG)


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
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(exits.OK)
    except httpx.HTTPError as error:
        what = f"a server does not answer as it should ({error})"
        sys.exit(explain(Unavailable(what, next_step="slipway status")))
    except Exception as error:  # noqa: BLE001 nobody is left to tell it to
        sys.exit(_tell_fault(error))


def explain(error: SlipwayError) -> int:
    """Say an error in one line on the error stream and return the exit status for it."""
    text = Text.assemble(("✗ ", "red"), str(error))
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)
    return exits.code_for(error)


def _tell_fault(error: Exception) -> int:
    """Say that something went wrong that nobody expected; its trace goes to a file."""
    file = state_dir() / "logs" / "fault.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(traceback.format_exception(error)))
    what = f"a fault of Slipway's own, {type(error).__name__}: {error}"
    explain(SlipwayError(what, next_step=f"report it with {file}"))
    return exits.FAULT
