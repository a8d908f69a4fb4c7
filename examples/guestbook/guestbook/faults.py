"""Requests that are answered badly on purpose, to see a rollout taken back."""

import random
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Faults:
    """A share of the requests, 0 to 1; a file that is there says another one, at once."""

    share: float = 0.0
    file: Path | None = None

    def strike(self) -> bool:
        """Say whether the next request is one of them."""
        return random.random() < self._share()  # noqa: S311 no secret

    def _share(self) -> float:
        if self.file is None or not self.file.exists():
            return self.share
        return float(self.file.read_text() or self.share)
