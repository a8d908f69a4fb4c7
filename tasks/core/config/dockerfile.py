"""The little of a Dockerfile that Slipway needs: its stages and the ports it exposes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Dockerfile", "parse_dockerfile"]

_FROM = re.compile(r"FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$", re.IGNORECASE)
_EXPOSE = re.compile(r"EXPOSE\s+(.+)$", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?(['\"]?)([A-Za-z_][A-Za-z0-9_]*)\1")


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """What a Dockerfile builds.

    Attributes:
        stages: number of FROM lines.
        targets: names of the stages in lower case, in their order.
        last: name of the last stage, None where it has none.
        ports: exposed TCP ports of the last stage.
        healthcheck: whether the last stage has one.
    """

    stages: int
    targets: tuple[str, ...]
    last: str | None = None
    ports: tuple[int, ...] = ()
    healthcheck: bool = False

    def builds(self, target: str) -> bool:
        """Whether BuildKit would find the target, by name or by number."""
        if target.isascii() and target.isdigit() and len(target) < 5:  # noqa: PLR2004 no more stages
            return int(target) < self.stages
        return target.lower() in self.targets


def parse_dockerfile(text: str) -> Dockerfile:
    """Read a Dockerfile; what it cannot know (variables) it leaves out."""
    stages = 0
    targets: list[str] = []
    last: str | None = None
    ports: list[int] = []
    healthcheck = False
    for instruction in _instructions(text):
        if match := _FROM.match(instruction):
            stages += 1
            ports, healthcheck = [], False
            last = match[2].lower() if match[2] else None
            targets += [last] if last else []
        elif match := _EXPOSE.match(instruction):
            ports += _ports(match[1])
        elif instruction.upper().startswith("HEALTHCHECK"):
            healthcheck = "NONE" not in instruction.upper().split()
    return Dockerfile(stages, tuple(targets), last, tuple(ports), healthcheck)


def _instructions(text: str) -> Iterator[str]:
    """Join continued lines and pass over comments and the bodies of here-documents."""
    joined = ""
    awaited: list[str] = []
    for raw in text.splitlines():
        line = raw.strip()
        if awaited:
            if line == awaited[0]:
                awaited.pop(0)
            continue
        if not line or line.startswith("#"):
            continue
        joined += line.removesuffix("\\") + " "
        if line.endswith("\\"):
            continue
        if joined.upper().startswith(("RUN", "COPY", "ADD")):
            awaited = [match[2] for match in _HEREDOC.finditer(joined)]
        yield joined.strip()
        joined = ""
    if joined.strip():
        yield joined.strip()


def _ports(text: str) -> list[int]:
    words = [word.removesuffix("/tcp") for word in text.split()]
    return [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 6]  # noqa: PLR2004 65535
