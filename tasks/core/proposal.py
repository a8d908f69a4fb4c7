"""What a pull request proposes, as its checks and previews are told."""

import hashlib
from dataclasses import dataclass

from tasks.core.repository import last_word

__all__ = ["Proposal", "name_of_pull"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The head of a pull request.

    Attributes:
        repository: path or address that is cloned; the repository that is proposed to.
        number: of the pull request.
        commit: the head that was announced, its full name.
        fork: its code lies in somebody else's repository.
    """

    repository: str
    number: int
    commit: str
    fork: bool

    @property
    def ref(self) -> str:
        """Where the repository that is proposed to has the head; GitHub keeps it there."""
        return f"refs/pull/{self.number}/head"

    @property
    def cache(self) -> str:
        """Name of the cache that this pull request has to itself."""
        whose = hashlib.sha256(self.repository.encode()).hexdigest()[:12]
        return f"pull-{whose}-{self.number}"


def name_of_pull(repository: str, number: int) -> str:
    """Return what people call a pull request: `shop#7`."""
    return f"{last_word(repository)}#{number}"
