"""GitHub's payloads, read as far as Slipway needs them; everything else in them is let be.

Source: docs.github.com, Webhook events and payloads.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256

from pydantic import ValidationError

from infra.webhook.model import (
    DeploymentAsked,
    Event,
    Facts,
    Nothing,
    PullRequest,
    Push,
    Refused,
    ReleasePublished,
    WorkflowEnded,
)
from infra.webhook.payloads import (
    AnyPayload,
    Cause,
    DeploymentPayload,
    PullRequestPayload,
    PushPayload,
    ReleasePayload,
    RepositoryPart,
    WorkflowRunPayload,
)
from tasks.notify.github_messages import TASK

__all__ = ["KNOWN", "read_event"]

BAD_REQUEST = 400
MOST_COMMITS = 2048
"""GitHub leaves out the commits of a push beyond these."""
_WORD = re.compile(r"[\w.-]{1,100}", re.ASCII)
_NO_COMMIT = re.compile(r"0+")


_Found = tuple[str, str, Facts, tuple[object, ...]]
"""Repository, ref, facts, and what makes the event the same one when it is sent again."""


def read_event(name: str, delivery: str, body: bytes) -> Event:
    """Read a signed payload.

    Args:
        name: header X-GitHub-Event.
        delivery: header X-GitHub-Delivery.
        body: JSON.

    Raises:
        Refused: it is none, or not of the shape that its event has.
    """
    if not _WORD.fullmatch(name) or not _WORD.fullmatch(delivery):
        raise Refused(BAD_REQUEST, "headers")
    try:
        subject, ref, facts, same = KNOWN.get(name, _other)(body)
    except ValidationError as error:
        raise Refused(BAD_REQUEST, "payload") from error
    content = sha256(json.dumps([name, subject, ref, *same]).encode()).hexdigest()
    return Event("github", name, delivery, content, subject, ref, facts)


def _push(body: bytes) -> _Found:
    push = PushPayload.model_validate_json(body)
    gone = push.deleted or _NO_COMMIT.fullmatch(push.after) is not None
    # the head of an annotated tag is the tag itself, not the commit
    head = push.head_commit
    facts = Push(
        ref=push.ref,
        commit=None if gone else (head.id if head else push.after),
        message=head.message if head else "",
        paths=_paths(push),
        default_branch=push.repository.default_branch,
        pushed_at=_instant(push.repository.pushed_at),
    )
    # a branch can be pushed back and forth between two commits: the time tells such pushes apart
    same = (push.before, push.after, push.repository.pushed_at)
    return push.repository.full_name, push.ref, facts, same


def _instant(seconds: int | str | None) -> datetime | None:
    """Return an instant; GitHub gives seconds since the epoch."""
    if not isinstance(seconds, int):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _paths(push: PushPayload) -> tuple[str, ...] | None:
    """Return the files that a push touched, None where its commits do not tell all of them."""
    if push.created or push.forced or not 0 < len(push.commits) < MOST_COMMITS:
        return None
    return tuple(
        dict.fromkeys(
            path
            for commit in push.commits
            for path in (*commit.added, *commit.modified, *commit.removed)
        )
    )


def _pull_request(body: bytes) -> _Found:
    found = PullRequestPayload.model_validate_json(body)
    head, base = found.pull_request.head, found.pull_request.base
    home = found.repository.full_name
    facts = PullRequest(
        action=found.action,
        number=found.number,
        commit=head.sha,
        base=base.ref,
        fork=head.repo is None or head.repo.full_name != home,
        draft=found.pull_request.draft,
    )
    same = (found.action, head.sha, found.pull_request.updated_at)
    return home, f"refs/pull/{found.number}/head", facts, same


def _release(body: bytes) -> _Found:
    found = ReleasePayload.model_validate_json(body)
    published = found.release
    facts = ReleasePublished(
        found.action, published.tag_name, published.draft, published.prerelease
    )
    ref = f"refs/tags/{published.tag_name}"
    same: tuple[object, ...]
    if facts.is_out:
        same = ("out", published.id, published.published_at, published.prerelease)
    else:
        same = (found.action, published.id, sha256(body).hexdigest())
    return found.repository.full_name, ref, facts, same


def _workflow_run(body: bytes) -> _Found:
    found = WorkflowRunPayload.model_validate_json(body)
    run, home = found.workflow_run, found.repository.full_name
    branch = run.head_branch or ""
    facts = WorkflowEnded(
        action=found.action,
        workflow=run.name or "",
        conclusion=run.conclusion,
        branch=branch,
        commit=run.head_sha,
        fork=run.head_repository is None or run.head_repository.full_name != home,
        default_branch=found.repository.default_branch,
        file=run.workflow_id,
        number=run.run_number,
    )
    return home, f"refs/heads/{branch}", facts, (found.action, run.id, run.run_attempt)


def _deployment(body: bytes) -> _Found:
    found = DeploymentPayload.model_validate_json(body)
    asked = found.deployment
    ours, proposed = asked.task == TASK, _is_proposed(found)
    facts = DeploymentAsked(found.action, asked.environment, asked.sha, ours, proposed)
    return found.repository.full_name, "", facts, (found.action, asked.id)


def _is_proposed(found: DeploymentPayload) -> bool:
    """Say whether the code is a pull request's: GitHub deploys for its workflows by itself, too.

    A payload of deployment_status holds all that one of deployment does, and the event's name is
    signed by nobody.
    """
    cause = found.workflow_run
    return (
        found.deployment.ref.startswith("refs/pull/")
        or found.deployment_status is not None
        or (cause is not None and not _is_own(cause, found.repository))
    )


def _is_own(cause: Cause, repository: RepositoryPart) -> bool:
    """Say whether a workflow ran on a repository's own code, and not because of a pull request."""
    home = cause.head_repository.full_name if cause.head_repository else ""
    own = home.casefold() == repository.full_name.casefold()
    return own and not cause.event.startswith("pull_request")


def _other(body: bytes) -> _Found:
    found = AnyPayload.model_validate_json(body)
    whose = found.repository.full_name if found.repository else ""
    return whose, "", Nothing("Slipway does nothing for such an event"), (sha256(body).hexdigest(),)


def _ping(body: bytes) -> _Found:
    whose, subject, _, apart = _other(body)
    return whose, subject, Nothing("the connection works"), apart


KNOWN: dict[str, Callable[[bytes], _Found]] = {
    "push": _push,
    "pull_request": _pull_request,
    "release": _release,
    "workflow_run": _workflow_run,
    "deployment": _deployment,
    "ping": _ping,
}
"""Events by GitHub's names."""
