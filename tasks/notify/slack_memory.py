"""What was said in Slack already: which message begins a thread, which one asks people."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import filelock
from pydantic import TypeAdapter, ValidationError

from tasks.core.errors import ConfigError, Unavailable
from tasks.core.files import write_whole
from tasks.core.paths import state_dir

__all__ = ["Kept", "Page", "Question", "Thread", "opened", "with_question", "with_thread"]

MOST_THREADS, MOST_SAID, MOST_QUESTIONS = 200, 300, 2_000


@dataclass(frozen=True, slots=True)
class Thread:
    """A message in the channel and what was replied to it.

    Attributes:
        release: its id; empty until it is known.
        ts: Slack's name for the message.
        said: digests of the news in it, newest last.
    """

    commit: str
    ts: str
    release: str = ""
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A message whose buttons people may press."""

    run: str
    plan: str
    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything about one application; rooms are channel and approvers' channel."""

    rooms: tuple[str, str] | None = None
    threads: tuple[Thread, ...] = ()
    questions: tuple[Question, ...] = ()


_KEPT = TypeAdapter(Kept)


@dataclass(slots=True)
class Page:
    """The file while it is ours; what is written survives kill -9."""

    file: Path
    kept: Kept = field(default_factory=Kept)

    def write(self, kept: Kept) -> None:
        """Put something in the place of all that was kept."""
        if kept != self.kept:
            write_whole(self.file, _KEPT.dump_json(kept))
            self.kept = kept


@contextlib.contextmanager
def opened(application: str, patience: timedelta) -> Iterator[Page]:
    """Open what is kept of an application; one process after the other.

    Raises:
        ConfigError: the file is damaged.
        Unavailable: another process holds it for longer than the patience.
    """
    file = state_dir() / "slack" / f"{application}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(f"{file}.lock", timeout=patience.total_seconds(), mode=0o600):
            yield Page(file, _read(file))
    except filelock.Timeout as error:
        raise Unavailable("is held by another process", where=str(file)) from error


def with_thread(kept: Kept, thread: Thread) -> Kept:
    """Keep a thread as the newest, in the place of what was known of the same message."""
    others = tuple(each for each in kept.threads if each.ts != thread.ts)
    short = replace(thread, said=thread.said[-MOST_SAID:])
    return replace(kept, threads=(*others, short)[-MOST_THREADS:])


def with_question(kept: Kept, run: str, question: Question | None) -> Kept:
    """Keep what a run asks now; None where it asks nothing any more."""
    others = tuple(each for each in kept.questions if each.run != run)
    new = () if question is None else (question,)
    return replace(kept, questions=(*others, *new)[-MOST_QUESTIONS:])


def _read(file: Path) -> Kept:
    try:
        return _KEPT.validate_json(file.read_bytes())
    except FileNotFoundError:
        return Kept()
    except ValidationError as error:
        raise ConfigError(
            "is damaged", where=str(file), next_step="remove it: new threads begin then"
        ) from error
