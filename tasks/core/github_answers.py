"""What GitHub's answers mean: when to ask again, and what a person should do about a refusal.

Source: docs.github.com, Rate limits for the REST API; Troubleshooting the REST API.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tasks.core.errors import ConfigError, Conflict, SlipwayError, Unavailable

__all__ = ["Interrupted", "Refusal", "backoff", "fault", "given_up", "repository_in"]

LONGEST_WAIT_SECONDS = 90.0
"""For a limit that ends later nobody waits."""
SECONDARY_WAIT_SECONDS = 60.0
"""What GitHub asks for where it names no time itself."""
SECONDARY = "#about-secondary-rate-limits"
SHOWN_CHARACTERS = 300
FORBIDDEN, TIMEOUT, TOO_MANY = 403, 408, 429
SERVERS_OWN = 500
_REPOSITORY = re.compile(r"/repos/([\w.-]+/[\w.-]+)(?:/|$)")
_RETRY = "when it answers again, deliver again"


class Interrupted(Exception):
    """An attempt that came to nothing; the same may succeed later.

    Args:
        what: what happened, as part of a sentence.
        wait_seconds: how long GitHub wants to be left alone; None where it does not say.
    """

    def __init__(self, what: str, wait_seconds: float | None = None) -> None:
        super().__init__(what, wait_seconds)
        self.what = what
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is none of 2xx.

    Attributes:
        headers: by their names in small letters.
        about: page of GitHub's documentation that it names.
    """

    status: int
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    about: str = ""


def repository_in(path: str) -> str | None:
    """Return the `owner/name` that a path of the API is about, None where it is about none."""
    found = _REPOSITORY.match(path)
    return found[1] if found else None


def fault(refusal: Refusal, where: str, now: datetime) -> Exception:
    """Say what a refusal comes to: asking again, or an error that a person reads.

    Args:
        refusal: GitHub's answer.
        where: what it was about.
        now: aware UTC.
    """
    if refusal.status in (FORBIDDEN, TOO_MANY):
        wait = _limit(refusal, now)
        if wait is not None:
            return Interrupted("the rate limit is used up", wait)
    if refusal.status == TIMEOUT or refusal.status >= SERVERS_OWN:
        return Interrupted(f"it answers HTTP {refusal.status}", _asked(refusal))
    return _judged(refusal, where)


def backoff(error: Exception) -> bool | float:
    """Say how long to wait before the next try: our own time, GitHub's, or not at all."""
    if not isinstance(error, Interrupted):
        return False
    if error.wait_seconds is None:
        return True
    return error.wait_seconds if error.wait_seconds <= LONGEST_WAIT_SECONDS else False


def given_up(error: Interrupted, where: str) -> Unavailable:
    """Return the error for what could not be done in time."""
    wait = error.wait_seconds
    later = f", for {wait:.0f} s more" if wait is not None and wait >= 1 else ""
    return Unavailable(f"GitHub does not do it: {error.what}{later}", where, _RETRY)


def _limit(refusal: Refusal, now: datetime) -> float | None:
    """Return for how many seconds a rate limit holds, None where it is another refusal."""
    asked = _asked(refusal)
    if asked is not None:
        return asked
    reset = refusal.headers.get("x-ratelimit-reset", "")
    if refusal.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(0.0, (datetime.fromtimestamp(int(reset), UTC) - now).total_seconds())
    if refusal.status == TOO_MANY or refusal.about.endswith(SECONDARY):
        return SECONDARY_WAIT_SECONDS
    return None


def _asked(refusal: Refusal) -> float | None:
    seconds = refusal.headers.get("retry-after", "")
    return float(seconds) if seconds.isdigit() else None


def _judged(refusal: Refusal, where: str) -> SlipwayError:
    said = f" ({refusal.message[:SHOWN_CHARACTERS]})" if refusal.message else ""
    match refusal.status:
        case 401:
            return ConfigError(
                f"GitHub does not take the token{said}", where, "slipway github login"
            )
        case 403:
            needed = refusal.headers.get("x-accepted-github-permissions", "")
            more = f": {needed}" if needed else ", see docs/telling.md"
            return ConfigError(
                f"the token may not do that{said}", where, f"give it the permission{more}"
            )
        case 404:
            return ConfigError(
                "GitHub has no such thing, or the token may not see it",
                where,
                "give the token, or the App, access to the repository: slipway github status",
            )
        case 409:
            return Conflict(f"GitHub has it in another state{said}", where, "deliver again")
        case status:
            return ConfigError(
                f"GitHub refuses it with HTTP {status}{said}", where, "slipway github status"
            )
