"""The one way to start a program."""

import contextlib
import os
import queue
import signal
import subprocess  # noqa: TID251 the one place
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO

from tasks.core.errors import ToolFailed

__all__ = ["Completed", "Options", "run", "spawn"]

KEPT_LINES = 20_000
TAIL_LINES = 30
REDACTED = "***"


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended.

    Attributes:
        code: exit status; negative is the signal that ended it.
        stdout: what it printed, redacted, at most the newest lines that the options allow.
        stderr: the same of its error stream.
        seconds: wall time.
    """

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Options:
    """What a program needs beside its arguments.

    Attributes:
        env: variables added to this process's environment.
        cwd: working folder.
        stdin: text handed to it.
        secrets: strings that are replaced by *** in everything kept or shown.
        ok: exit statuses that are no failure.
        on_line: called with each redacted line of both streams as it comes.
        kept_lines: of each stream; None where the output is the result and none may be missing.
    """

    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    stdin: str | None = None
    secrets: tuple[str, ...] = ()
    ok: tuple[int, ...] = (0,)
    on_line: Callable[[str], None] | None = None
    kept_lines: int | None = KEPT_LINES


def run(argv: Sequence[str], *, timeout: timedelta, options: Options | None = None) -> Completed:
    """Run a program in a process group of its own and end the whole group afterwards.

    Raises:
        ToolFailed: it could not be started, ran over its time, or ended with a status
            that is not in `options.ok`.
    """
    options = options or Options()
    started = time.monotonic()
    process = _start(argv, options)
    try:
        stdout, stderr = _drain(process, options, started + timeout.total_seconds())
    finally:
        _end_group(process)
    seconds = time.monotonic() - started
    done = Completed(tuple(argv), process.returncode, stdout, stderr, seconds)
    if done.code not in options.ok:
        raise ToolFailed(_failure(done, timeout), where=Path(argv[0]).name)
    return done


def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    handles: tuple[int, ...] = (),
) -> int:
    """Start a server that outlives this process, in a session of its own, and return its pid.

    Args:
        argv: the program and its words.
        log: where its output goes.
        env: variables added to this process's environment.
        handles: open files and sockets that it inherits, by number.

    Raises:
        ToolFailed: it could not be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("ab") as output:
            server = subprocess.Popen(  # noqa: S603 a list, never a shell
                list(argv),
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=handles,
            )
    except OSError as error:
        raise ToolFailed(f"cannot be started: {error.strerror}", where=str(argv[0])) from error
    # Popen warns about a child that still runs when it is forgotten; forgetting is the point here.
    server.returncode = 0
    return server.pid


def _start(argv: Sequence[str], options: Options) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603 a list, never a shell
            list(argv),
            env={**os.environ, **(options.env or {})},
            cwd=options.cwd,
            stdin=subprocess.DEVNULL if options.stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ToolFailed(
            f"{argv[0]} cannot be started: {error.strerror}",
            where="this machine",
            next_step="docs/operations.md names the programs that a worker needs",
        ) from error


def _drain(process: subprocess.Popen[str], options: Options, deadline: float) -> tuple[str, str]:
    """Read both streams until the program ends or the deadline comes."""
    lines: queue.SimpleQueue[tuple[str, str | None]] = queue.SimpleQueue()
    kept = {name: deque[str](maxlen=options.kept_lines) for name in ("stdout", "stderr")}
    threads = [
        threading.Thread(target=_read, args=(name, stream, lines), daemon=True)
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr))
    ]
    threads.append(threading.Thread(target=_feed, args=(process, options.stdin), daemon=True))
    for thread in threads:
        thread.start()
    for name, line in _until(lines, len(kept), deadline):
        clean = _redact(line, options.secrets)
        kept[name].append(clean)
        if options.on_line is not None:
            options.on_line(clean.rstrip("\n"))
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, deadline - time.monotonic()))
    _end_group(process)
    for thread in threads:
        thread.join(timeout=5)
    return "".join(kept["stdout"]), "".join(kept["stderr"])


def _until(
    lines: queue.SimpleQueue[tuple[str, str | None]], streams: int, deadline: float
) -> Iterator[tuple[str, str]]:
    while streams:
        try:
            name, line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return
        if line is None:
            streams -= 1
        else:
            yield name, line


def _read(
    name: str, stream: IO[str] | None, lines: queue.SimpleQueue[tuple[str, str | None]]
) -> None:
    if stream is not None:
        with stream:
            for line in stream:
                lines.put((name, line))
    lines.put((name, None))


def _feed(process: subprocess.Popen[str], text: str | None) -> None:
    if process.stdin is not None and text is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(text)


def _end_group(process: subprocess.Popen[str]) -> None:
    """End what is left of the group, even where its leader has gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _redact(line: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        if secret:
            line = line.replace(secret, REDACTED)
    return line


def _failure(done: Completed, timeout: timedelta) -> str:
    tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-TAIL_LINES:])
    ended = (
        f"did not end within {timeout.total_seconds():.0f} s"
        if done.seconds >= timeout.total_seconds()
        else f"ended with status {done.code}"
    )
    return f"{ended}\n{tail}" if tail else ended
