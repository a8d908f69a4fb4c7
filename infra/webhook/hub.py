"""What the reconciliation asks GitHub."""

import itertools
import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from infra.webhook.github import read_event
from infra.webhook.heads import Head, fits
from infra.webhook.missed import Missed, Sending
from infra.webhook.model import Refused
from tasks.core.github import GitHub
from tasks.core.github_login import AppKey

__all__ = [
    "APP_HOOK",
    "ask_again",
    "fetch_heads",
    "fetch_hooks",
    "fetch_message",
    "fetch_missed",
    "fetch_sendings",
]

APP_HOOK = "/app/hook"
_WILD = re.compile(r"[*?]")


def fetch_hooks(hub: GitHub, repository: str) -> tuple[str, ...]:
    """Return the paths of the hooks that may tell us of a repository; an App has one of its own."""
    if isinstance(hub.login.who, AppKey):
        return (APP_HOOK,)
    path = f"/repos/{repository}/hooks"
    return tuple(f"{path}/{each['id']}" for each in hub.get_all(path) if each["active"])


def fetch_sendings(
    hub: GitHub, hook: str, since: datetime, most: int | None = None
) -> tuple[Sending, ...]:
    """Return what GitHub tried to deliver to a hook since an instant, the newest first.

    Args:
        hub: GitHub.
        hook: path below which its API has the hook.
        since: aware.
        most: how many; all of them where None.
    """
    found = map(_sending, hub.get_all(f"{hook}/deliveries"))
    return tuple(itertools.islice(itertools.takewhile(lambda each: each.at >= since, found), most))


def fetch_missed(hub: GitHub, hook: str, sending: Sending) -> Missed | None:
    """Return what was to be delivered, None where that cannot be read."""
    told = hub.ask("GET", f"{hook}/deliveries/{sending.id}")
    body = json.dumps(told["request"]["payload"]).encode()
    try:
        return Missed(hook, sending, read_event(sending.name, sending.guid, body))
    except Refused:
        return None


def ask_again(hub: GitHub, missed: Missed) -> None:
    """Ask GitHub to send something again; it does so a little later."""
    hub.ask("POST", f"{missed.hook}/deliveries/{missed.sending.id}/attempts")


def fetch_heads(hub: GitHub, repository: str, patterns: tuple[str, ...]) -> tuple[Head, ...]:
    """Return where the branches stand that patterns name."""
    path = f"/repos/{repository}/git/matching-refs/heads/"
    # by what they begin with; `main` brings `main-2` too
    begin = {_WILD.split(pattern)[0] for pattern in patterns}
    found = (each for word in sorted(begin) for each in hub.get_all(path + quote(word)))
    heads = {each["ref"]: each["object"]["sha"] for each in found if fits(patterns, each["ref"])}
    return tuple(Head(ref, commit) for ref, commit in heads.items())


def fetch_message(hub: GitHub, repository: str, commit: str) -> str:
    """Return the message of a commit."""
    return str(hub.ask("GET", f"/repos/{repository}/commits/{commit}")["commit"]["message"])


def _sending(told: dict[str, Any]) -> Sending:
    return Sending(
        id=int(told["id"]),
        guid=str(told["guid"]),
        name=str(told["event"]),
        at=datetime.fromisoformat(told["delivered_at"]),
        arrived=200 <= int(told["status_code"]) < 300,  # noqa: PLR2004 HTTP's successes
        again=bool(told["redelivery"]),
    )
