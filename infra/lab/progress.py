"""Progress for people: one bar a component on a terminal, one line a step elsewhere."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.progress_bar import ProgressBar
from rich.text import Text

from infra.lab.report import Event, Report, Step, making

__all__ = ["showing"]

_WIDEST = 60


@contextmanager
def showing(stream: TextIO) -> Iterator[Report]:
    """Show events on a stream while the block runs."""
    if not stream.isatty():
        yield _Lines(stream)
        return
    with _bars(Console(file=stream)) as progress:
        yield _Bars(progress)


@dataclass(slots=True)
class _Lines:
    """Writes what begins, ends and fails, and leaves out the rest."""

    stream: TextIO
    _told: dict[str, Step] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: Event) -> None:
        with self._lock:
            line = _line(event, self._told.get(event.name))
            self._told[event.name] = event.step
            if line:
                print(line, file=self.stream, flush=True)


def _line(event: Event, before: Step | None) -> str:
    match event.step:
        case Step.MAKING if before is not Step.MAKING:
            return f"{event.name}: about {event.seconds:.0f} s"
        case Step.READY:
            return f"{event.name}: ready after {event.seconds:.1f} s"
        case Step.FAILED:
            return f"{event.name}: failed"
        case _:
            return ""


class _Bar(ProgressColumn):
    """A bar that moves with time against what it took the last time."""

    max_refresh = None

    def render(self, task: Task) -> RenderableType:
        done = 1.0 if task.finished else share(task.elapsed or 0.0, task.fields["expected"])
        return ProgressBar(total=1.0, completed=done, width=24)


class _Remaining(ProgressColumn):
    """Seconds left by experience, then seconds taken."""

    max_refresh = None

    def render(self, task: Task) -> RenderableType:
        if task.finished:
            return Text(f"{task.finished_time or 0.0:.1f} s", style="dim")
        if not task.started:
            return Text("")
        left = float(task.fields["expected"]) - (task.elapsed or 0.0)
        return Text(f"about {left:.0f} s left" if left >= 1 else "any moment")


def _left(task: Task) -> float:
    return 0.0 if task.finished else float(task.fields["expected"]) - (task.elapsed or 0.0)


def remaining(rows: Sequence[tuple[str, float]]) -> float:
    """Estimate the time until all is done from each one's own, by name.

    Artifacts are made two at a time; the components that then start do so side by side.
    """
    made = [max(0.0, left) for name, left in rows if name.startswith(making(""))]
    started = [max(0.0, left) for name, left in rows if not name.startswith(making(""))]
    return max(sum(made) / 2, max(made, default=0.0)) + max(started, default=0.0)


def share(elapsed: float, expected: float) -> float:
    """How much of a bar to fill: never whole before the work is."""
    return min(elapsed / expected, 0.97) if expected > 0 else 0.0


@dataclass(slots=True)
class _Bars:
    """One row for the whole, and one for each artifact that is made and each component."""

    progress: Progress
    _whole: TaskID | None = None
    _rows: dict[str, TaskID] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: Event) -> None:
        with self._lock:
            row = self._row(event)
            match event.step:
                case Step.WAITING:
                    self.progress.update(row, expected=event.seconds)
                case Step.MAKING | Step.STARTING | Step.FINISHING:
                    self._work(row, event)
                case Step.READY:
                    self._work(row, event)
                    self.progress.update(row, completed=1, state="[green]ready[/]", detail="")
                    if event.name.startswith(making("")):
                        self.progress.update(row, visible=False)
                case Step.FAILED:
                    self.progress.update(row, state="[red]failed[/]", detail="")
                    self.progress.stop_task(row)
            self._estimate()

    def _estimate(self) -> None:
        """Say how long the whole will take from here."""
        if self._whole is None:
            return
        rows = [task for task in self.progress.tasks if task.id != self._whole]
        left = remaining([(task.description, _left(task)) for task in rows])
        elapsed = self.progress.tasks[self._whole].elapsed or 0.0
        self.progress.update(self._whole, expected=elapsed + left, completed=int(left <= 0))

    def _row(self, event: Event) -> TaskID:
        if self._whole is None:
            self._whole = self.progress.add_task(
                "the lab", total=1, expected=event.seconds, state="", detail=""
            )
        if event.name not in self._rows:
            self._rows[event.name] = self.progress.add_task(
                event.name, start=False, total=1, expected=event.seconds, state="waiting", detail=""
            )
        return self._rows[event.name]

    def _work(self, row: TaskID, event: Event) -> None:
        if not self.progress.tasks[row].started:
            self.progress.start_task(row)
        if event.seconds and event.step is not Step.READY:
            self.progress.update(row, expected=event.seconds)
        detail = event.detail.strip()[-_WIDEST:]
        self.progress.update(row, state=str(event.step), detail=detail)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        _Bar(),
        TextColumn("{task.fields[state]}"),
        _Remaining(),
        TextColumn("[dim]{task.fields[detail]}[/]"),
        console=console,
    )
