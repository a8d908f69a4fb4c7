"""Asking Slack's Web API, for as long as it makes sense."""

import itertools
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError

from tasks.core.clock import Clock, SystemClock
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.slack import Login

__all__ = ["Slack"]

log = logging.getLogger(__name__)

Json = dict[str, Any]

TIMEOUT_SECONDS = 10
PAUSES = (1, 2, 4, 8, 15)
"""Between attempts, in seconds, the last one again and again."""
MAY_PASS = {
    *("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"),
    *("request_timeout", "team_added_to_org"),
}
LOGIN = {
    *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
    "missing_scope",
}
CHANNEL = {"channel_not_found", "not_in_channel", "is_archived"}


@dataclass(frozen=True, slots=True)
class Slack:
    """The Web API, with one login.

    Attributes:
        patience: for how long a call is tried again; zero is one try.
    """

    login: Login
    patience: timedelta = timedelta(0)
    clock: Clock = field(default_factory=SystemClock)

    def call(self, method: str, **arguments: object) -> Json:
        """Call a method and return what Slack says.

        Source: docs.slack.dev, Rate limits (429 with Retry-After); Evaluating responses.

        Raises:
            ConfigError: Slack refuses, whoever asks again; the text names its error.
            Unavailable: it did not take the call within the patience.
        """
        deadline = self.clock.elapsed() + self.patience
        # it tries once: how long to wait is decided here, by the clock that was handed in
        client = WebClient(self.login.token, self.login.api, TIMEOUT_SECONDS, retry_handlers=[])
        for attempt in itertools.count():
            try:
                answer = client.api_call(method, json=arguments)
            except (OSError, HTTPException, SlackRequestError, SlackApiError) as error:
                pause = _pause(error, attempt, method)
                if self.clock.elapsed() + pause > deadline:
                    raise Unavailable(
                        f"does not take {method} ({_word(error)})", "Slack", "try again later"
                    ) from error
                log.warning("Slack: %s again in %s s", _word(error), pause.total_seconds())
                self.clock.wait(pause)
            else:
                return dict(answer.data) if isinstance(answer.data, dict) else {}
        raise Unavailable(method)  # never: counting has no end


def _pause(error: Exception, attempt: int, method: str) -> timedelta:
    """Say how long to wait before the same is tried again.

    Raises:
        ConfigError: that would be of no use.
    """
    usual = timedelta(seconds=PAUSES[min(attempt, len(PAUSES) - 1)])
    if not isinstance(error, SlackApiError):
        return usual
    status, word = error.response.status_code, _word(error)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        asked = {name.lower(): value for name, value in error.response.headers.items()}
        seconds = str(asked.get("retry-after", ""))
        return timedelta(seconds=int(seconds)) if seconds.isdigit() else usual
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or word in MAY_PASS:
        return usual
    raise ConfigError(f"refuses {method} ({word})", "Slack", _advice(word)) from error


def _word(error: Exception) -> str:
    """Name an error without what it quotes."""
    if isinstance(error, SlackApiError):
        data = error.response.data
        named = data.get("error") if isinstance(data, dict) else None
        return str(named or error.response.status_code)
    return type(error).__name__


def _advice(word: str) -> str:
    if word in LOGIN:
        return "slipway slack login"
    if word in CHANNEL:
        return "invite the app to the channel that slipway.yaml names under notify.slack"
    return "look at docs/slack.md"
