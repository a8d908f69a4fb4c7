"""docs/cli.md out of the program itself: `python -m infra.cli.reference > docs/cli.md`."""

import sys
from collections.abc import Iterator

import typer
from typer._click.core import Command, Context, Parameter
from typer.core import TyperGroup

from infra.cli import exits
from infra.cli.main import build

__all__ = ["reference"]

HEAD = """# Commands

Written by `python -m infra.cli.reference > docs/cli.md`; a test compares it with the program.
Every command also says this with `--help`.
"""


def reference() -> str:
    """Describe every command as markdown."""
    root = typer.main.get_command(build())
    parts = [HEAD, _codes()]
    parts += [_section(context) for context in _leaves(Context(root, info_name="slipway"))]
    return "\n".join(parts)


def _codes() -> str:
    text = exits.EPILOG.removeprefix("Exit codes: ").rstrip(".")
    rows = [entry.strip().partition(" ") for entry in text.split(";")]
    lines = [f"| {code} | {meaning} |" for code, _, meaning in rows]
    return "\n".join(["| exit code | means |", "| --- | --- |", *lines, ""])


def _leaves(context: Context) -> Iterator[Context]:
    command = context.command
    if not isinstance(command, TyperGroup):
        yield context
        return
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        if child is not None:
            yield from _leaves(Context(child, info_name=name, parent=context))


def _section(context: Context) -> str:
    command = context.command
    words = " ".join(command.collect_usage_pieces(context))
    lines = [f"## {context.command_path}", "", f"    {context.command_path} {words}", ""]
    lines += [(command.help or "").strip(), ""]
    rows = [row for row in (_row(each, context) for each in _parameters(command)) if row]
    if rows:
        lines += ["| argument | means |", "| --- | --- |", *rows, ""]
    return "\n".join(lines)


def _parameters(command: Command) -> list[Parameter]:
    return [each for each in command.params if each.name != "help"]


def _row(parameter: Parameter, context: Context) -> str:
    record = parameter.get_help_record(context)
    if record is None:
        return ""
    name, text = (" ".join(part.split()).replace("|", "\\|") for part in record)
    return f"| `{name}` | {text} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
