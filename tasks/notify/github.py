"""GitHub as a channel: statuses, deployments and a comment on the pull request."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from tasks.core.errors import ConfigError
from tasks.core.github_login import fetch_login
from tasks.core.repository import name_at
from tasks.notify.model import Commit, News
from tasks.notify.ports import Channel, Herald

__all__ = ["CHANNEL", "GitHubHerald"]


@dataclass(frozen=True, slots=True)
class GitHubHerald:
    """Tells a repository on GitHub."""

    def tell(self, news: Sequence[News]) -> None:
        """Hand news over, the oldest first; all are about one commit."""


def hears(commit: Commit) -> bool:
    """Say whether somebody has logged in to the GitHub that a commit comes from."""
    try:
        login = fetch_login()
    except ConfigError:
        return True  # it is told where the sending fails
    return login is not None and name_at(commit.repository, login.web) is not None


@contextmanager
def _connect(_patience: timedelta) -> Iterator[Herald]:
    yield GitHubHerald()


CHANNEL = Channel("github", hears, _connect)
