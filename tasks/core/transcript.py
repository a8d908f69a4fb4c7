"""Reads buildx's `--progress=rawjson`, line by line, into what a person wants to follow."""

import base64
import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["FailedStep", "Transcript"]

KEPT_LINES = 200
SHOWN_LINES = 20
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_STEP = re.compile(r"\[(?!internal\])[^\]]+\] (?P<instruction>[A-Z]+)\b")


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A step of a build that ended with an error.

    Attributes:
        name: as BuildKit calls it, `[lint 2/2] RUN npm run lint`.
    """

    digest: str
    name: str
    message: str

    @property
    def is_run(self) -> bool:
        """Whether a command of the Dockerfile ended with an error."""
        return _instruction(self.name) == "RUN"

    @property
    def is_base_image(self) -> bool:
        """Whether an image named in FROM could not be read."""
        pulled = _instruction(self.name) == "FROM"
        return pulled or self.name.startswith("[internal] load metadata for ")


class Transcript:
    """Tells steps and their output as they come and remembers what explains a failure.

    Attributes:
        failed: the first step that failed; the others are cancelled because of it.
        commands: number of `RUN` steps that were not taken from the cache.
        complaints: what buildx itself said outside its protocol.
        last: the newest lines of any step.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self.failed: FailedStep | None = None
        self.commands = 0
        self.complaints: deque[str] = deque(maxlen=SHOWN_LINES)
        self.last: deque[str] = deque(maxlen=SHOWN_LINES)
        self._log = log
        self._told: set[str] = set()
        self._open: dict[str, str] = {}
        self._printed: dict[str, deque[str]] = {}

    def feed(self, line: str) -> None:
        """Take one line of buildx's output."""
        event = _parse(line)
        if event is None:
            if line.strip():
                self.complaints.append(line.rstrip())
            return
        for vertex in event.get("vertexes") or ():
            self._step(vertex)
        for entry in event.get("logs") or ():
            self._output(entry["vertex"], base64.b64decode(entry["data"]).decode(errors="replace"))

    def end(self) -> None:
        """Tell what was printed without a line's end."""
        for digest, rest in self._open.items():
            if rest:
                self._tell(digest, rest)
        self._open.clear()

    def tail(self, step: FailedStep) -> tuple[str, ...]:
        """Return the last lines that a step printed."""
        return tuple(self._printed.get(step.digest, ()))[-SHOWN_LINES:]

    def _step(self, vertex: dict[str, Any]) -> None:
        digest, name = vertex["digest"], vertex["name"]
        if vertex.get("error") and self.failed is None:
            self.failed = FailedStep(digest, name, vertex["error"])
        begun = vertex.get("started") and not name.startswith("[internal]")
        if begun and digest not in self._told:
            self._told.add(digest)
            self.commands += not vertex.get("cached") and _instruction(name) == "RUN"
            self._log(f"{name} (unchanged)" if vertex.get("cached") else name)

    def _output(self, digest: str, text: str) -> None:
        *lines, rest = (self._open.get(digest, "") + text).split("\n")
        self._open[digest] = rest
        for line in lines:
            self._tell(digest, line)

    def _tell(self, digest: str, line: str) -> None:
        clean = _COLOUR.sub("", line.rstrip("\r").rpartition("\r")[2]).rstrip()
        self._printed.setdefault(digest, deque(maxlen=KEPT_LINES)).append(clean)
        self.last.append(clean)
        self._log(clean)


def _instruction(name: str) -> str | None:
    match = _STEP.match(name)
    return match["instruction"] if match else None


def _parse(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
