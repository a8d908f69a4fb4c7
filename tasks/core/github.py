"""A client of GitHub's REST API; it says who we are, and waits when it is asked to."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, TypeVar

import httpx
import stamina

from tasks.core.clock import Clock, SystemClock
from tasks.core.errors import Unavailable
from tasks.core.github_answers import (
    Interrupted,
    Refusal,
    backoff,
    fault,
    given_up,
    repository_in,
)
from tasks.core.github_login import AppKey, Login, PersonalToken, app_token
from tasks.core.http import authorities

__all__ = ["GitHub", "github"]

PATIENCE = timedelta(minutes=2)
TIMEOUT_SECONDS = 20.0
HASTY_TIMEOUT_SECONDS = 5.0
"""Without patience nobody waits long for an answer either."""
HEADERS = {
    "accept": "application/vnd.github+json",
    "user-agent": "slipway",  # GitHub refuses requests without one
    "x-github-api-version": "2022-11-28",
}
PAGE = 100
MOST_PAGES = 100
RENEW_BEFORE = timedelta(minutes=5)
UNAUTHORIZED, NO_CONTENT = 401, 204

_T = TypeVar("_T")
_Words = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked.

    Attributes:
        path: what it is about, which decides who we are.
        following: address of a further page, which GitHub names by a number in place of the path.
    """

    method: str
    path: str
    body: object = None
    words: _Words | None = None
    following: str = ""


@dataclass(slots=True)
class _Known:
    """What GitHub has told us of ourselves.

    Attributes:
        tokens: an App's installation tokens by repository, each with its end.
        name: under which it shows what we write.
    """

    tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict, repr=False)
    name: str = ""


@cache
def _known(_login: Login) -> _Known:
    """Return what this process knows; a token lives for an hour."""
    return _Known()


@dataclass(slots=True)
class GitHub:
    """Asks GitHub.

    Every method but `once` tries again for as long as its patience lasts; zero is one try.

    Raises:
        ConfigError: the token, or what is asked for, is refused.
        Conflict: the thing is in another state.
        Unavailable: GitHub does not answer, or a rate limit holds for too long.
    """

    login: Login
    http: httpx.Client
    patience: timedelta = PATIENCE
    clock: Clock = field(default_factory=SystemClock)

    def ask(self, method: str, path: str, body: object = None, words: _Words | None = None) -> Any:  # noqa: ANN401 JSON
        """Return the JSON of an answer; None where it has no content.

        Args:
            method: GET, PUT, PATCH or DELETE, or a POST that may come twice.
            path: begins with a slash.
            body: becomes JSON.
            words: of the query.
        """
        return self.patiently(lambda: self.once(method, path, body, words), path)

    def get_all(self, path: str, words: _Words | None = None, within: str = "") -> Iterator[Any]:
        """Yield what a list has, page by page, whether by number or by cursor.

        Args:
            path: begins with a slash.
            words: of the query.
            within: field of the answer that holds the list; empty where the answer is the list.
        """
        request = _Request("GET", path, words={"per_page": PAGE, **(words or {})})
        for _ in range(MOST_PAGES):
            answer = self.patiently(partial(self._send, request), path)
            content = _json(answer)
            yield from content[within] if within else content
            following = answer.links.get("next", {}).get("url")
            if following is None:
                return
            request = _Request("GET", path, following=self._on_this_host(following))

    def once(self, method: str, path: str, body: object = None, words: _Words | None = None) -> Any:  # noqa: ANN401 JSON
        """Ask a single time; for use inside `patiently`.

        Raises:
            Interrupted: the same may succeed later; whether it was done is not known.
        """
        return _json(self._send(_Request(method, path, body, words)))

    def patiently(self, work: Callable[[], _T], where: str) -> _T:
        """Do work that may be interrupted anew until it is done.

        Args:
            work: finds out by itself what an earlier attempt has done.
            where: the path that it is about.
        """
        seconds = self.patience.total_seconds()
        patient = stamina.RetryingCaller(
            attempts=None if seconds else 1, timeout=seconds or None, wait_max=20.0
        )
        try:
            return patient.on(backoff)(work)
        except Interrupted as error:
            raise given_up(error, _place(where)) from error

    def _send(self, request: _Request) -> httpx.Response:
        answer = self._exchange(request)
        # an App's token may end before its time
        if answer.status_code == UNAUTHORIZED and self._forget_token(request.path):
            answer = self._exchange(request)
        if answer.is_success:
            return answer
        raise fault(_refusal(answer), _place(request.path), self.clock.now())

    def _exchange(self, request: _Request) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._token(request.path)}"}
        address = request.following or request.path
        try:
            return self.http.request(
                request.method, address, json=request.body, params=request.words, headers=headers
            )
        except httpx.HTTPError as error:
            raise Interrupted(f"no answer, {type(error).__name__}") from error

    def _forget_token(self, path: str) -> bool:
        """Say whether there was one that was got before."""
        return _known(self.login).tokens.pop(repository_in(path) or "", None) is not None

    def _token(self, path: str) -> str:
        who = self.login.who
        if isinstance(who, PersonalToken):
            return who.token
        repository = repository_in(path)
        if repository is None or path == f"/repos/{repository}/installation":
            return app_token(who, self.clock.now())
        token, ends = _known(self.login).tokens.get(repository, ("", self.clock.now()))
        if ends - self.clock.now() > RENEW_BEFORE:
            return token
        return self._fresh_token(repository)

    def _fresh_token(self, repository: str) -> str:
        """Get a token for one repository alone; it can do what the App may do there."""
        installation = self.once("GET", f"/repos/{repository}/installation")
        name = repository.partition("/")[2]
        path = f"/app/installations/{installation['id']}/access_tokens"
        made = self.once("POST", path, {"repositories": [name]})
        token, ends = str(made["token"]), datetime.fromisoformat(made["expires_at"])
        _known(self.login).tokens[repository] = (token, ends)
        return token

    def whoami(self) -> str:
        """Return the name under which GitHub shows what we write."""
        known = _known(self.login)
        if not known.name and isinstance(self.login.who, AppKey):
            known.name = f"{self.ask('GET', '/app')['slug']}[bot]"
        elif not known.name:
            known.name = str(self.ask("GET", "/user")["login"])
        return known.name

    def _on_this_host(self, address: str) -> str:
        """Return the address of a further page; the token goes nowhere else."""
        following, ours = httpx.URL(address), self.http.base_url
        if (following.scheme, following.netloc) != (ours.scheme, ours.netloc):
            raise Unavailable("names a further page elsewhere", str(ours), "slipway github status")
        return address


@contextlib.contextmanager
def github(login: Login, patience: timedelta = PATIENCE) -> Iterator[GitHub]:
    """Connect to the GitHub of a login for as long as a block runs."""
    with httpx.Client(
        base_url=login.api,
        headers=HEADERS,
        timeout=TIMEOUT_SECONDS if patience else HASTY_TIMEOUT_SECONDS,
        verify=authorities(login.api),
        trust_env=login.api.startswith("https://"),
        follow_redirects=True,  # of repositories that were renamed
    ) as client:
        yield GitHub(login, client, patience)


def _json(answer: httpx.Response) -> Any:  # noqa: ANN401 JSON
    if answer.status_code == NO_CONTENT or not answer.content:
        return None
    try:
        return answer.json()
    except ValueError as error:
        raise Interrupted("it answers something that is no JSON") from error


def _refusal(answer: httpx.Response) -> Refusal:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return Refusal(answer.status_code, "", headers)
    message = " ".join(str(content.get("message", "")).split())
    details = [
        str(each.get("message") or f"{each.get('field')} {each.get('code')}")
        for each in content.get("errors") or ()
        if isinstance(each, dict)
    ]
    about = str(content.get("documentation_url", ""))
    return Refusal(answer.status_code, "; ".join((message, *details)), headers, about)


def _place(path: str) -> str:
    return f"GitHub {repository_in(path) or path}"
