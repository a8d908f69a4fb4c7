"""How commands speak: rich on a terminal, plain lines when piped, JSON where asked."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from rich.console import Console, Group
from rich.live import Live
from rich.status import Status
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from infra.server.client import RunView, StageView

__all__ = ["console", "print_json", "say", "show_stages", "shown", "table", "working"]

PIPED_WIDTH = 240
FRAMES_A_SECOND = 8

console = Console(highlight=False, soft_wrap=True)
if not console.is_terminal:
    console.width = PIPED_WIDTH

MARKS = {
    "Completed": ("✓", "green"),
    "Failed": ("✗", "red"),
    "Crashed": ("✗", "red"),
    "Cancelled": ("✗", "yellow"),
}
UNDER_WAY = {"Running", "Retrying", "AwaitingRetry", "Cancelling"}
BOOKKEEPING = ("?", "freezes", "claim", "passed", "opened", "told")
"""How the names of stages end that are worth a line only when they fail."""


def print_json(value: object) -> None:
    """Print any of our frozen values as JSON."""
    sys.stdout.write(json.dumps(TypeAdapter(type(value)).dump_python(value, mode="json"), indent=2))
    sys.stdout.write("\n")


def say(mark: str, colour: str, text: str) -> None:
    """Print one line behind a coloured sign; nothing in the text is taken for markup."""
    console.print(Text.assemble((mark, colour), " ", shown(text)))


def shown(text: str) -> str:
    """Take out what would make a terminal do more than show it."""
    return "".join(one for one in text if one.isprintable() or one in "\n\t\N{NO-BREAK SPACE}")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under a head: only the last column wraps, and nothing does when piped."""
    cells = [tuple(map(shown, row)) for row in rows]
    if not console.is_terminal:
        _print_columns([tuple(columns), *cells])
        return
    grid = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns[:-1]:
        grid.add_column(name, no_wrap=True)
    grid.add_column(columns[-1], overflow="fold")
    for row in cells:
        grid.add_row(*(Text(cell) for cell in row))
    console.print(grid, soft_wrap=False)


def _print_columns(rows: Sequence[Sequence[str]]) -> None:
    lines = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")
    sys.stdout.flush()


def working(text: str) -> Status:
    """Say on a terminal that something takes a while, for as long as the block runs."""
    return console.status(text)


def show_stages(views: Iterable["RunView"], since: "RunView | None" = None) -> "RunView":
    """Show a run while it goes on and return how it was seen last.

    Args:
        views: the run, each time it is looked at.
        since: the run when it was shown before; what was over then is not told again.
    """
    said = {key for key, _ in _ended(since)} if since else set()
    return _live(views, said) if console.is_terminal else _lines(views, said)


def _live(views: Iterable["RunView"], said: set[str]) -> "RunView":
    """Let what is over scroll by, above a few lines about what is under way."""
    last = None
    with Live(console=console, refresh_per_second=FRAMES_A_SECOND, transient=True) as live:
        for last in views:
            for line in _unsaid(_ended(last), said):
                live.console.print(line)
            live.update(_now(last))
    return _seen(last)


def _lines(views: Iterable["RunView"], said: set[str]) -> "RunView":
    last = None
    for last in views:
        for line in _unsaid((*_queued(last), *_ended(last)), said):
            console.print(line)
            sys.stdout.flush()
    return _seen(last)


def _seen(view: "RunView | None") -> "RunView":
    if view is None:
        raise ValueError("no view of the run")
    return view


def _unsaid(events: Iterable[tuple[str, Text]], said: set[str]) -> Iterator[Text]:
    """Yield what has not been said yet, and note it in said."""
    for key, line in events:
        if key not in said:
            said.add(key)
            yield line


def _queued(view: "RunView") -> Iterator[tuple[str, Text]]:
    if view.queued:
        yield _waiting(view), Text(f"… {_waiting(view)}", style="dim")


def _ended(view: "RunView") -> Iterator[tuple[str, Text]]:
    for stage in view.stages:
        mark, colour = MARKS.get(stage.state, ("", ""))
        quiet = stage.state == "Completed" and stage.name.endswith(BOOKKEEPING)
        if mark and not quiet:
            text = f" {shown(stage.name)}  {stage.seconds:.1f} s"
            yield f"{stage.name} {stage.state}", Text.assemble((mark, colour), text)


def _waiting(view: "RunView") -> str:
    """Say what a queued run waits for."""
    match view.word:
        case "Late":
            return "queued: no worker has taken it yet; slipway status says whether one runs"
        case "Recovering":
            return "queued again: its process was gone, it goes on where it was"
        case "Clearing":
            return "queued again: it was cancelled, what it had begun is brought to an end"
        case _:
            return "queued: waits for the worker"


def _now(view: "RunView") -> Group:
    """Show what is under way in lines that never wrap."""
    rows = [_row(stage) for stage in view.stages if stage.state in UNDER_WAY]
    state = _waiting(view) if view.queued else view.state.lower()
    foot = Text(f"{view.name} ({view.short_id}) {state}, {view.seconds:.0f} s", style="dim")
    for line in (*rows, foot):
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*rows, foot)


def _row(stage: "StageView") -> Text:
    again = "" if stage.state == "Running" else f"  ({stage.state.lower()})"
    return Text.assemble(
        ("●", "cyan"), f" {shown(stage.name)}  {stage.seconds:.1f} s", (again, "dim")
    )
