"""The command `slipway`."""

import logging
import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import NoReturn

import httpx
import typer
from rich.console import Console
from rich.text import Text
from typer._click.exceptions import ClickException

from infra.cli import exits
from tasks.core.errors import SlipwayError, Unavailable
from tasks.core.paths import state_dir

__all__ = ["COMMANDS", "build", "end_with", "explain", "main"]

COMMANDS = {
    "up": "infra.cli.machine.up",
    "down": "infra.cli.machine.down",
    "status": "infra.cli.machine.status",
    "apply": "infra.cli.apply.apply",
    "forget": "infra.cli.apply.forget",
    "deliver": "infra.cli.runs.deliver",
    "promote": "infra.cli.promote.promote",
    "plan": "infra.cli.rollouts.plan",
    "approve": "infra.cli.runs.approve",
    "history": "infra.cli.rollouts.show_history",
    "show": "infra.cli.show.show",
    "dora": "infra.cli.dora.dora",
    "rollback": "infra.cli.rollback.rollback",
    "audit": "infra.cli.audit.audit",
    "redeploy": "infra.cli.redeploy.redeploy",
    "logs": "infra.cli.logs.logs",
    "cancel": "infra.cli.runs.cancel",
    "access": "infra.cli.access.access",
    "monitoring": "infra.cli.monitoring.monitoring",
    "check": "infra.cli.check.check",
    "init": "infra.cli.init.init",
    "update-database": "infra.cli.database.update_database",
    "version": "infra.cli.machine.version",
    "lab": "infra.lab.cli.app",
    "approver": "infra.cli.approver.app",
    "release": "infra.cli.release.app",
    "slo": "infra.cli.slo.app",
    "webhook": "infra.cli.webhook.app",
    "slack": "infra.cli.slack.app",
    "github": "infra.cli.github.app",
}
"""Where each command, or group of commands, is. By name: importing all of them takes a second."""


def build(word: str = "") -> typer.Typer:
    """Return the program with one command, or with all where the word is none of them."""
    app = typer.Typer(
        name="slipway",
        epilog=exits.EPILOG,
        help="Takes a commit to production and takes it back when it hurts users.",
        callback=lambda: None,  # without one, a single command would stand for the program
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in (word,) if word in COMMANDS else COMMANDS:
        module, _, attribute = COMMANDS[name].rpartition(".")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            _tell_exit_codes(found)
            app.add_typer(found, name=name, epilog=exits.EPILOG)
        else:
            app.command(name, epilog=exits.EPILOG)(found)
    return app


def _tell_exit_codes(group: typer.Typer) -> None:
    for command in group.registered_commands:
        command.epilog = exits.EPILOG
    for below in group.registered_groups:
        if below.typer_instance:
            _tell_exit_codes(below.typer_instance)


def main() -> None:
    """Run the command that the arguments name."""
    end_with(lambda: build(*sys.argv[1:2])(standalone_mode=False))


def end_with(work: Callable[[], int | None]) -> NoReturn:
    """Do something and end the program with the documented exit status for how it went.

    A user's mistake is one clear line, never a stack trace.

    Args:
        work: returns an exit status, or None where all is well.
    """
    logging.getLogger("stamina").setLevel(logging.ERROR)  # that something is tried again is no news
    try:
        sys.exit(work() or exits.OK)
    except SlipwayError as error:
        sys.exit(explain(error))
    except typer.Exit as asked:
        sys.exit(asked.exit_code)
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
