"""Prefect's REST API without Prefect, whose import takes longer than a whole command should."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import stamina
from httpx import codes

from infra.server.daemons import require_up
from infra.server.settings import USER, Server
from tasks.core.http import authorities

__all__ = ["Api", "may_pass", "was_refused"]

TIMEOUT_SECONDS = 15
_PATIENT = stamina.RetryingCaller(attempts=5, timeout=30)
"""A person waits: half a minute for a server that comes back."""


@dataclass(frozen=True, slots=True)
class Api:
    """A connection to this instance's server.

    Source: https://docs.prefect.io/v3/api-ref/rest-api
    """

    server: Server
    http: httpx.Client

    @classmethod
    def connect(cls) -> "Api":
        """Open one.

        Raises:
            Unavailable: nobody answers.
        """
        prefect = require_up()
        password = prefect.password()
        http = httpx.Client(
            base_url=prefect.api,
            auth=(USER, password) if password else None,
            timeout=TIMEOUT_SECONDS,
            verify=authorities(prefect.api),
            trust_env=False,
        )
        return cls(prefect, http)

    def get(self, path: str) -> Any:  # noqa: ANN401 JSON
        """Return what is at a path.

        Raises:
            httpx.HTTPError: the server says no, or nothing for half a minute.
        """
        return self._send(lambda: self.http.get(path), may_pass)

    def post(
        self,
        path: str,
        body: dict[str, Any],
        again: Callable[[Exception], bool] | None = None,
    ) -> Any:  # noqa: ANN401 JSON
        """Send something and return the answer.

        Args:
            path: below the API's address.
            body: becomes JSON.
            again: says of a failure whether the same may be sent again; `may_pass` where absent.

        Raises:
            httpx.HTTPError: the server says no, or nothing for half a minute.
        """
        return self._send(lambda: self.http.post(path, json=body), again or may_pass)

    def _send(self, send: Callable[[], httpx.Response], again: Callable[[Exception], bool]) -> Any:  # noqa: ANN401 JSON
        return _PATIENT(again, lambda: send().raise_for_status()).json()


def may_pass(error: Exception) -> bool:
    """Say whether the same request may succeed in a moment: SQLite is busy, a server restarts."""
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        return status in {codes.REQUEST_TIMEOUT, codes.TOO_MANY_REQUESTS} or codes.is_server_error(
            status
        )
    return isinstance(error, httpx.TransportError)


def was_refused(error: Exception) -> bool:
    """Say whether the server has certainly not done what it was asked, and may do it later."""
    never_heard = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
    return never_heard or (isinstance(error, httpx.HTTPStatusError) and may_pass(error))
