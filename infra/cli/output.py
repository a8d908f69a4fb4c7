"""How commands speak: rich on a terminal, plain lines when piped, JSON where asked."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console
from rich.live import Live
from rich.table import Table

__all__ = ["console", "print_json", "show_stages", "table"]

PIPED_WIDTH = 240

console = Console(highlight=False, soft_wrap=True)
if not console.is_terminal:
    console.width = PIPED_WIDTH

MARKS = {
    "Completed": "[green]✓[/green]",
    "Failed": "[red]✗[/red]",
    "Crashed": "[red]✗[/red]",
    "Running": "[cyan]●[/cyan]",
    "NotReady": "[dim]-[/dim]",
}
SILENT = {"Pending", "Running", "Scheduled", "Late", "Cached"}
"""Not said on a pipe: what is not over, and what an earlier process of the run has said."""


def print_json(value: object) -> None:
    """Print any of our frozen values as JSON."""
    sys.stdout.write(json.dumps(TypeAdapter(type(value)).dump_python(value, mode="json"), indent=2))
    sys.stdout.write("\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under a head, one line a row."""
    grid = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        grid.add_row(*row)
    console.print(grid)


def show_stages(views: Iterable[Any]) -> Any:  # noqa: ANN401 RunView lives behind a slow import
    """Show a run while it goes on and return how it was seen last."""
    return _live(views) if console.is_terminal else _lines(views)


def _live(views: Iterable[Any]) -> Any:  # noqa: ANN401
    last = None
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        for last in views:
            grid = Table.grid(padding=(0, 1))
            for stage in last.stages:
                if stage.state == "Cached":
                    continue
                grid.add_row(MARKS.get(stage.state, " "), stage.name, f"{stage.seconds:.1f} s")
            live.update(grid)
    return last


def _lines(views: Iterable[Any]) -> Any:  # noqa: ANN401
    last, said = None, set[str]()
    for last in views:
        for stage in last.stages:
            if stage.state not in SILENT and (key := f"{stage.name}{stage.state}") not in said:
                said.add(key)
                mark = MARKS.get(stage.state, " ")
                console.print(f"{mark} {stage.name}  {stage.seconds:.1f} s", markup=True)
                sys.stdout.flush()
    return last
