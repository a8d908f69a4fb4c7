"""What a channel to people is."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from tasks.notify.model import Commit, News

__all__ = ["Channel", "Herald"]


class Herald(Protocol):
    """Tells people in one place."""

    def tell(self, news: Sequence[News]) -> None:
        """Hand news over, the oldest first; all are about one commit.

        The same news may come twice, after a run was killed: people see them once.

        Raises:
            ConfigError: the other side refuses, whoever asks again.
            Unavailable: it did not take them for as long as it was tried.
        """
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to people.

    Attributes:
        name: in a word, such as github.
        hears: whether it is set up on this machine and wants to know of a commit; asks nobody.
        connect: opens it for as long as a block runs. It is told how long to go on trying; zero
            is one try, for what comes after something that was given up.
    """

    name: str
    hears: Callable[[Commit], bool]
    connect: Callable[[timedelta], AbstractContextManager[Herald]]
