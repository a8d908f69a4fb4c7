"""News as GitHub's API wants them: statuses of a commit, deployments and their statuses.

Source: docs.github.com, REST API endpoints for commit statuses, deployments, deployment statuses.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tasks.notify.model import Commit, EnvironmentNews, RunNews, StageNews, State

__all__ = [
    "TASK",
    "commit_status",
    "deployment",
    "deployment_status",
    "is_open",
    "is_same_deployment",
    "is_same_status",
    "left_open_deployment",
    "left_open_status",
]

TASK = "slipway"
"""By it our own deployments are known, when GitHub tells us of them."""
LONGEST = 140
"""Characters of a description; GitHub refuses longer ones."""

Body = dict[str, Any]

_COMMIT_STATES = {
    State.PENDING: "pending",
    State.IN_PROGRESS: "pending",
    State.WAITING: "pending",
    State.SUCCESS: "success",
    State.FAILURE: "failure",
    State.ERROR: "error",
    State.INACTIVE: "error",
}
_DEPLOYMENT_STATES = {
    State.PENDING: "queued",
    State.IN_PROGRESS: "in_progress",
    State.WAITING: "pending",
    State.SUCCESS: "success",
    State.FAILURE: "failure",
    State.ERROR: "error",
    State.INACTIVE: "inactive",
}


def commit_status(news: StageNews) -> Body:
    """Return the status of a commit that a stage comes to; a later one takes its place."""
    return {
        "state": _COMMIT_STATES[news.state],
        "context": f"slipway/{news.stage}",
        "description": _short(news.sentence),
        **_link("target_url", news.commit.link),
    }


def deployment(news: EnvironmentNews) -> Body:
    """Return the deployment that stands for a release in an environment.

    GitHub merges nothing and checks nothing for it: what may be rolled out is decided here.
    """
    return {
        "ref": news.commit.name,
        "task": TASK,
        "auto_merge": False,
        "required_contexts": [],
        "environment": news.environment,
        "description": _short(f"{news.release} {news.commit.subject}"),
        "payload": {TASK: _identity(news)},
    }


def is_same_deployment(found: Mapping[str, Any], news: EnvironmentNews) -> bool:
    """Say whether GitHub has the deployment already: a run that was killed comes again."""
    return _told_identity(found) == _identity(news)


def left_open_deployment(found: Mapping[str, Any], news: RunNews) -> EnvironmentNews | None:
    """Return how a deployment is that a run has left behind; None where it is another run's."""
    told, commit = _told_identity(found), news.commit
    if (told.get("application"), told.get("run")) != (commit.application, commit.run):
        return None
    about = replace(commit, name=found["sha"])
    release = str(told.get("release") or "")
    return EnvironmentNews(about, found["environment"], release, news.state, news.sentence)


def left_open_status(found: Mapping[str, Any], commit: Commit, news: RunNews) -> StageNews | None:
    """Return how a stage is that a run has left open; None where it is none of its own."""
    about, _, stage = str(found["context"]).partition("/")
    is_its = about == TASK and (found.get("target_url") or "") == commit.link
    if not is_its or found["state"] != _COMMIT_STATES[State.PENDING]:
        return None
    return StageNews(commit, stage, news.state, news.sentence)


def is_open(status: Mapping[str, Any]) -> bool:
    """Say whether people wait for a deployment's end, by its newest status."""
    return status.get("state") in {_DEPLOYMENT_STATES[each] for each in State if each.is_open}


def _told_identity(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what we have written into a deployment, empty where it is none of ours."""
    payload = found.get("payload")
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except ValueError:
            return {}
    told = payload.get(TASK) if isinstance(payload, dict) else None
    return told if isinstance(told, dict) else {}


def deployment_status(news: EnvironmentNews) -> Body:
    """Return how a deployment is; on success GitHub makes the earlier ones inactive."""
    return {
        "state": _DEPLOYMENT_STATES[news.state],
        "description": _short(news.sentence),
        **_link("log_url", news.commit.link),
        **_link("environment_url", news.url or ""),
    }


def is_same_status(found: Mapping[str, Any], wanted: Body) -> bool:
    """Say whether a deployment's newest status says the same already."""
    return all(found.get(name) == wanted[name] for name in ("state", "description"))


def _identity(news: EnvironmentNews) -> dict[str, str]:
    commit: Commit = news.commit
    return {"application": commit.application, "release": news.release, "run": commit.run}


def _short(text: str) -> str:
    """Put text on one line that is short enough, without characters that nobody sees."""
    line = " ".join("".join(each for each in text if each.isprintable() or each == "\n").split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _link(name: str, address: str) -> dict[str, str]:
    return {name: address} if address.startswith(("https://", "http://")) else {}
