"""The one tree of errors.

SlipwayError
├── ConfigError    the user's file or argument is wrong; nothing was changed
├── GateClosed     approval, freeze or lock says no; never retried
├── Unavailable    somebody does not answer (registry, cluster, Prefect); may be retried
├── ToolFailed     a program ended in another way than it should
├── StageFailed    a stage did its work and the answer is no (tests fail, findings block)
└── Conflict       somebody else changed what we were about to change

A message says what happened, where, and what to do next. Every class keeps the constructor of
the root: an error with another one cannot be read back from Prefect's JSON or from a pickle.
"""

__all__ = [
    "ConfigError",
    "Conflict",
    "GateClosed",
    "SlipwayError",
    "StageFailed",
    "ToolFailed",
    "Unavailable",
]


class SlipwayError(Exception):
    """Root of everything that Slipway raises on purpose.

    Args:
        what: what happened, as a sentence without a full stop.
        where: the place, most specific last (`prod/myfin-api`, `slipway.yaml:12`).
        next_step: what the reader should do.
    """

    def __init__(self, what: str, where: str = "", next_step: str = "") -> None:
        super().__init__(what, where, next_step)

    @property
    def what(self) -> str:
        """What happened, without place and remedy."""
        return str(self.args[0])

    @property
    def next_step(self) -> str:
        """What to do, empty where nothing can be advised."""
        return str(self.args[2])

    def __str__(self) -> str:
        """Place, event and remedy in one line."""
        what, where, next_step = self.args
        place = f"{where}: {what}" if where else str(what)
        return f"{place.removesuffix('.')}. Next: {next_step}" if next_step else place


class ConfigError(SlipwayError):
    """The user's file or argument is wrong; nothing was changed."""


class GateClosed(SlipwayError):
    """An approval, a freeze or a lock says no."""


class Unavailable(SlipwayError):
    """Somebody does not answer; the same call may succeed later."""


class ToolFailed(SlipwayError):
    """A program ended in another way than it should."""


class StageFailed(SlipwayError):
    """A stage did its work and the answer is no."""


class Conflict(SlipwayError):
    """Somebody else changed what we were about to change."""
