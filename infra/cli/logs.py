"""`slipway logs`: what a run said, as people read it."""

import logging
import re
import sys
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from rich.text import Text

from infra.cli.options import Run
from infra.cli.output import console
from infra.server import connect
from infra.server.run_views import LogLine
from tasks.core.clock import SystemClock

__all__ = ["log_text", "logs", "readable"]

LOOK_EVERY = timedelta(seconds=1)
OVERLAP = timedelta(seconds=5)
"""Lines reach the server a little out of order."""
LEVELS = {logging.WARNING: "yellow", logging.ERROR: "red", logging.CRITICAL: "bold red"}
TRACE = "Traceback (most recent call last):\n"
_ENDED = re.compile(r"^(Finished in state \w+)\(.*", re.DOTALL)


def logs(
    run: Run,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it is over.")] = False,
    traces: Annotated[
        bool, typer.Option("--traces", help="Print Python's traces of what failed, too.")
    ] = False,
) -> None:
    """Print what a run said, each line with the stage that said it.

    What failed is said once, without the traces of the program: --traces prints all there is.

    Example: `slipway logs myfin@main -f`
    """
    runs, clock = connect(), SystemClock()
    view = runs.named(run)
    stages: dict[UUID, str] = {}
    printed: set[UUID] = set()
    failures: set[str] = set()
    newest: datetime | None = None
    while True:
        over = not follow or runs.view(view.id).over
        lines = runs.log_lines(view.id, after=newest and newest - OVERLAP)
        if any(line.stage is not None and line.stage not in stages for line in lines):
            stages = runs.stage_names(view.id)
        for line in lines:
            newest = line.at
            if line.id in printed:
                continue
            printed.add(line.id)
            text = line.text if traces else readable(line, failures)
            if text:
                console.print(log_text(line, text, stages.get(line.stage) if line.stage else None))
        sys.stdout.flush()
        if over:
            return
        clock.wait(LOOK_EVERY)


def readable(line: LogLine, failures: set[str]) -> str:
    """Return a line without traces, empty where the same failure was told already.

    Prefect tells one for its task, for the flow around that, and for the process.

    Args:
        line: of the log.
        failures: what was told; this adds to it.
    """
    _, trace, rest = line.text.rpartition(TRACE)
    if not trace:
        return _ENDED.sub(r"\1", line.text)
    raised = [each for each in re.split(r"\n(?=\S)", f"\n{rest}") if not each[:1].isspace()]
    failure = "\n".join(raised).strip()
    if failure in failures:
        return ""
    failures.add(failure)
    return failure


def log_text(line: LogLine, text: str, stage: str | None = None) -> Text:
    """Write a line of a log; its own colours stay, other control sequences do not."""
    said = Text.from_ansi(text)
    said.stylize(LEVELS.get(line.level, ""))
    teller = (f"{stage} │ ", "cyan") if stage else ""
    return Text.assemble((f"{line.at:%H:%M:%S}", "dim"), " ", teller, said)
