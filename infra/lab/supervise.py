"""Bringing one component, or one artifact, to where it should be."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from filelock import FileLock

from infra.lab import durations
from infra.lab.component import Artifact, Component
from infra.lab.layout import Layout
from infra.lab.node import Node
from infra.lab.report import Event, Report, Step, making
from infra.lab.waiting import wait_until
from tasks.core.errors import ToolFailed, Unavailable

__all__ = ["Supervisor"]

_HUNG = timedelta(seconds=8)
_TAIL_LINES = 12
_LARGE_LOG = 20_000_000


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Starts what a lab consists of, and says so."""

    node: Node
    report: Report
    cancelled: Callable[[], bool] = field(default=lambda: False)

    @property
    def _layout(self) -> Layout:
        return self.node.layout

    def provide(self, artifact: Artifact) -> None:
        """Make an artifact unless the cache has it, one process at a time.

        Raises:
            SlipwayError: it could not be made.
        """
        cache = self._layout.cache
        if artifact.path(cache).exists():
            return
        label = making(artifact.name)
        expected = durations.expected(cache, label, artifact.seconds)
        self.report(Event(label, Step.MAKING, expected))
        began = time.monotonic()
        with _lock(cache, artifact.path(cache).name):
            if not artifact.path(cache).exists():
                self._make(artifact, label)
        self.report(Event(label, Step.READY, time.monotonic() - began))

    def _make(self, artifact: Artifact, label: str) -> None:
        def say(line: str) -> None:
            self.report(Event(label, Step.MAKING, detail=line))

        began = time.monotonic()
        artifact.make(self._layout.cache, say)
        durations.remember(self._layout.cache, label, time.monotonic() - began)

    def settle(self, component: Component) -> None:
        """Start a component unless it serves already, and finish it.

        Raises:
            ToolFailed: it ended, did not become healthy in time, or its last step failed.
        """
        began = time.monotonic()
        expected = durations.expected(self._layout.cache, component.name, 2.0)
        self.report(Event(component.name, Step.STARTING, expected))
        started = self._ensure_running(component)
        self.report(Event(component.name, Step.FINISHING))
        component.finish(self._layout)
        seconds = time.monotonic() - began
        if started:
            durations.remember(self._layout.cache, component.name, seconds)
        self.report(Event(component.name, Step.READY, seconds))

    def _ensure_running(self, component: Component) -> bool:
        """Return whether it had to be started."""
        files = component.files(self._layout)
        argv = component.argv(self._layout)
        wanted = _fingerprint(argv, files, component.env)
        running = self.node.running(component.name)
        if running is not None and running.fingerprint == wanted and self._serves(component):
            return False
        if running is not None:
            self.node.stop(component.name)
        self._prepare(component, files)
        component.prepare(self._layout)
        self.node.launch(component, argv, wanted)
        self._wait_healthy(component)
        return True

    def _serves(self, component: Component) -> bool:
        """Ask a running component for a while whether it is hung."""
        self._wait(component, _HUNG, strict=False)
        return component.healthy(self._layout)

    def _prepare(self, component: Component, files: Mapping[Path, str]) -> None:
        log = self._layout.log(component.name)
        if log.exists() and log.stat().st_size > _LARGE_LOG:
            log.rename(log.with_suffix(".log.old"))
        for folder in component.folders(self._layout):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(content)

    def _wait_healthy(self, component: Component) -> None:
        self._wait(component, component.patience, strict=False)
        if component.healthy(self._layout):
            return
        dead = self.node.running(component.name) is None
        seconds = component.patience.total_seconds()
        raise ToolFailed(
            ("ended at once" if dead else f"is not healthy after {seconds:.0f} s")
            + _tail(self._layout.log(component.name)),
            where=f"lab/{component.name}",
            next_step=f"read {self._layout.log(component.name)}, then `slipway lab up` again",
        )

    def _wait(self, component: Component, patience: timedelta, *, strict: bool) -> None:
        def decided() -> bool:
            if self.cancelled():
                raise Unavailable("cancelled", where=f"lab/{component.name}")
            return component.healthy(self._layout) or self.node.running(component.name) is None

        wait_until(decided, patience, f"{component.name} to become healthy", strict=strict)


def _fingerprint(argv: tuple[str, ...], files: Mapping[Path, str], env: Mapping[str, str]) -> str:
    parts = [argv, {str(path): content for path, content in files.items()}, dict(env)]
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _lock(cache: Path, name: str) -> FileLock:
    folder = cache / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / name)


def _tail(log: Path) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 8000))
        lines = file.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
    return "".join(f"\n  {line}" for line in lines)
