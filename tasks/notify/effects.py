"""The channels to people, and handing news over."""

from collections.abc import Sequence
from datetime import timedelta

from tasks.notify import github, slack
from tasks.notify.model import Commit, News
from tasks.notify.ports import Channel

__all__ = ["CHANNELS", "hearing", "tell"]

CHANNELS: tuple[Channel, ...] = (github.CHANNEL, slack.CHANNEL)
PATIENCE = timedelta(minutes=2)
"""A run ends as much later where the other side is away."""


def hearing(commit: Commit) -> tuple[str, ...]:
    """Return the names of the channels that want to know of a commit; none costs nothing."""
    return tuple(each.name for each in CHANNELS if each.hears(commit))


def tell(channel: str, news: Sequence[News], patience: timedelta = PATIENCE) -> None:
    """Hand news over to a channel.

    Raises:
        ConfigError: it is set up wrongly, or the other side refuses.
        Unavailable: the other side did not take them within the patience.
    """
    found = next(each for each in CHANNELS if each.name == channel)
    with found.connect(patience) as herald:
        herald.tell(news)
