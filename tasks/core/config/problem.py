"""What is wrong with a slipway.yaml: one record a fault, each with its place and its remedy."""

from dataclasses import dataclass

__all__ = ["Finding", "Path", "Problem", "dotted"]

Path = tuple[str | int, ...]
"""Keys and list positions from the root of the document."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of the file.

    Attributes:
        file: name of the file.
        line: counted from 1; of the key, or of its parent where the key is missing.
        key: dotted path, empty where the file as a whole is meant.
    """

    file: str
    line: int
    key: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """One line: place, key, fault, remedy."""
        place = f"{self.file}:{self.line}"
        subject = f"{place}: {self.key}" if self.key else place
        return f"{subject}: {self.message}. Next: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault before its line is known."""

    path: Path
    message: str
    remedy: str


def dotted(path: Path) -> str:
    """Write a path the way people say it: `environments.prod.probes[0].path`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
