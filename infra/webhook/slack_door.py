"""Slack's door: who may come in, and the dialogue for answers that need words."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from infra.webhook.model import Event, Refused
from infra.webhook.slack import Dialogue, Headers, dialogue_view, is_slacks, read_request
from tasks.core.errors import ConfigError, SlipwayError
from tasks.core.slack import Login, fetch_login
from tasks.core.slack_client import Slack

__all__ = ["SlackDoor"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SlackDoor:
    """Reads what Slack sends; a login counts at once, without a restart.

    Attributes:
        login: returns the login of this machine, None where nobody has logged in.
    """

    login: Callable[[], Login | None] = fetch_login

    def read(self, body: bytes, headers: Headers, now: datetime) -> tuple[Event, ...]:
        """Return what is to be stored.

        Raises:
            Refused: nobody has logged in here, it is not signed, too old, or no payload.
        """
        login = self._login()
        if not is_slacks(body, headers, login.signing_secret, now):
            raise Refused(HTTPStatus.UNAUTHORIZED, "signature")
        events, dialogue = read_request(body, headers)
        if dialogue is not None:
            # beside the answer: Slack waits three seconds for that
            threading.Thread(target=_open, args=(dialogue, login), daemon=True).start()
        return events

    def _login(self) -> Login:
        try:
            login = self.login()
        except ConfigError as error:
            log.warning("%s", error)
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "login") from error
        if login is None:
            raise Refused(HTTPStatus.NOT_FOUND, "no login")
        return login


def _open(dialogue: Dialogue, login: Login) -> None:
    """Show a dialogue; nothing is lost with it but a press on a button."""
    view = dialogue_view(dialogue)
    try:
        Slack(login).call("views.open", trigger_id=dialogue.trigger, view=view)
    except SlipwayError as error:
        log.warning("no dialogue: %s", error)
