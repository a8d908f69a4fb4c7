"""A push as GitHub would send it: for the demo, the benchmark and tests."""

import json
from datetime import timedelta
from uuid import uuid4

import httpx

from infra.webhook.model import Outcome, State
from infra.webhook.settings import Settings
from infra.webhook.signature import sign
from infra.webhook.store import Store
from tasks.core.clock import Clock
from tasks.core.errors import Unavailable

__all__ = ["Request", "await_outcome", "push", "send"]

Request = tuple[bytes, dict[str, str]]
"""Body and headers."""

PATIENCE = timedelta(minutes=1)
LOOK_EVERY = timedelta(milliseconds=100)
TIMEOUT_SECONDS = 20


def push(repository: str, commit: str, secret: str, *, pushed_at: int) -> Request:
    """Return a push of a commit to main, signed.

    Args:
        repository: `owner/name`.
        commit: full name of the new head.
        secret: that receiver and sender share.
        pushed_at: seconds since the epoch.
    """
    head = {"id": commit, "message": "Change", "added": [], "modified": [], "removed": []}
    payload = {
        "ref": "refs/heads/main",
        "before": "0" * len(commit),
        "after": commit,
        "created": False,
        "deleted": False,
        "forced": False,
        "head_commit": head,
        "commits": [head],
        "repository": {
            "full_name": repository,
            "default_branch": "main",
            "pushed_at": pushed_at,
        },
    }
    body = json.dumps(payload).encode()
    headers = {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": str(uuid4()),
        "x-hub-signature-256": sign(body, secret),
    }
    return body, headers


def send(request: Request, where: Settings) -> int:
    """Send an event to the receiver of an instance and return its answer's status.

    Raises:
        Unavailable: the receiver does not answer.
    """
    body, headers = request
    url = f"{where.url}/github"
    try:
        answer = httpx.post(
            url, content=body, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
        )
    except httpx.HTTPError as error:
        raise Unavailable("does not answer", where=url, next_step="slipway up") from error
    return answer.status_code


def await_outcome(delivery: str, where: Settings, clock: Clock) -> Outcome:
    """Return what became of a delivery as soon as something has.

    Raises:
        Unavailable: nothing did for a minute.
    """
    store, deadline = Store(where.store), clock.now() + PATIENCE
    try:
        while clock.now() < deadline:
            outcome = store.outcome(delivery)
            if outcome is not None and outcome.state is not State.STORED:
                return outcome
            clock.wait(LOOK_EVERY)
    finally:
        store.close()
    raise Unavailable(
        "nothing became of the push", where=where.url, next_step="slipway webhook events"
    )
