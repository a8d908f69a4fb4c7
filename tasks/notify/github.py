"""GitHub as a channel: statuses, deployments and a comment on the pull request."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any

from tasks.core.errors import ConfigError, Conflict
from tasks.core.github import GitHub, github
from tasks.core.github_login import fetch_login
from tasks.core.repository import name_at
from tasks.notify import comment
from tasks.notify.github_messages import (
    TASK,
    commit_status,
    deployment,
    deployment_status,
    is_open,
    is_same_deployment,
    is_same_status,
    left_open_deployment,
    left_open_status,
)
from tasks.notify.model import Commit, EnvironmentNews, News, QuestionNews, RunNews, StageNews
from tasks.notify.ports import Channel, Herald

__all__ = ["CHANNEL", "GitHubHerald"]

MOST = 100
"""Deployments that are looked through, the newest first, for those of a run."""


@dataclass(frozen=True, slots=True)
class GitHubHerald:
    """Tells the repository that a commit comes from."""

    client: GitHub

    def tell(self, news: Sequence[News]) -> None:
        """Hand news over, the oldest first; all are about one commit.

        A permission that the token lacks keeps nothing else from being told.

        Raises:
            ConfigError: GitHub refuses some of it.
            Unavailable: it does not answer.
        """
        repository = name_at(news[0].commit.repository, self.client.login.web)
        if repository is None:
            return
        refused: list[ConfigError | Conflict] = []
        for each in news:
            _try(refused, lambda it=each: self._tell(repository, it))  # type: ignore[misc]
        shown = [each for each in news if comment.belongs(each)]
        if shown:
            _try(refused, lambda: self._comment(repository, shown))
        if refused:
            raise refused[0]

    def _tell(self, repository: str, news: News) -> None:
        match news:
            case StageNews():
                path = f"/repos/{repository}/statuses/{news.commit.name}"
                self.client.ask("POST", path, commit_status(news))
            case EnvironmentNews():
                self._tell_deployment(repository, news)
            case RunNews():
                for left in self._left_open(repository, news):
                    self.tell(left)
            case QuestionNews():
                pass  # an answer to it would prove nothing

    def _left_open(self, repository: str, news: RunNews) -> Iterator[Sequence[News]]:
        """Yield what a run has begun and not ended, by commit, as it is now."""
        commit = news.commit
        found: dict[str, list[News]] = {commit.name: []} if commit.name else {}
        base = f"/repos/{repository}/deployments"
        for each in islice(self.client.get_all(base, {"task": TASK}), MOST):
            left = left_open_deployment(each, news)
            if left is not None:
                of_commit = found.setdefault(left.commit.name, [])
                if is_open(self._newest_status(f"{base}/{each['id']}/statuses")):
                    of_commit.append(left)
        for name, of_commit in found.items():
            path = f"/repos/{repository}/commits/{name}/status"
            about = replace(commit, name=name)
            statuses = self.client.get_all(path, within="statuses")
            stages = (left_open_status(each, about, news) for each in statuses)
            of_commit += [each for each in stages if each is not None]
        yield from filter(None, found.values())

    def _newest_status(self, path: str) -> dict[str, Any]:
        return next(self.client.get_all(path, {"per_page": 1}), {})

    def _tell_deployment(self, repository: str, news: EnvironmentNews) -> None:
        base = f"/repos/{repository}/deployments"
        found = self.client.patiently(lambda: self._deployment(base, news), base)
        path, status = f"{base}/{found['id']}/statuses", deployment_status(news)
        if not is_same_status(self._newest_status(path), status):
            self.client.ask("POST", path, status)

    def _deployment(self, base: str, news: EnvironmentNews) -> Any:  # noqa: ANN401 JSON
        """Find the deployment, or make it."""
        words = {"sha": news.commit.name, "environment": news.environment, "task": TASK}
        for each in self.client.get_all(base, words):
            if is_same_deployment(each, news):
                return each
        return self.client.once("POST", base, deployment(news))

    def _comment(self, repository: str, news: Sequence[News]) -> None:
        for number in self._pull_requests(repository, news[0].commit):
            path = f"/repos/{repository}/issues/{number}/comments"
            self.client.patiently(lambda at=path: self._write(repository, at, news), path)  # type: ignore[misc]

    def _pull_requests(self, repository: str, commit: Commit) -> tuple[int, ...]:
        """Return the pull requests whose newest commit, or whose merge, a commit is."""
        found = self.client.get_all(f"/repos/{repository}/commits/{commit.name}/pulls")
        return tuple(
            each["number"]
            for each in found
            if commit.name in (each["head"]["sha"], each.get("merge_commit_sha"))
        )

    def _write(self, repository: str, path: str, news: Sequence[News]) -> None:
        """Change our comment, or write it; others may write whatever they want into theirs."""
        me = self.client.whoami()
        for each in self.client.get_all(path):
            author = (each.get("user") or {}).get("login")
            if author == me and comment.is_ours(each["body"] or "", news[0].commit.application):
                body = comment.write(news, each["body"])
                if body != each["body"]:
                    there = f"/repos/{repository}/issues/comments/{each['id']}"
                    self.client.once("PATCH", there, {"body": body})
                return
        self.client.once("POST", path, {"body": comment.write(news)})


def hears(commit: Commit) -> bool:
    """Say whether somebody has logged in to the GitHub that a commit comes from."""
    try:
        login = fetch_login()
    except ConfigError:
        return True  # it is told where the sending fails
    return login is not None and name_at(commit.repository, login.web) is not None


@contextmanager
def _connect(patience: timedelta) -> Iterator[Herald]:
    login = fetch_login()
    if login is None:
        raise ConfigError("nobody is logged in", "GitHub", "slipway github login")
    with github(login, patience) as client:
        yield GitHubHerald(client)


def _try(refused: list[ConfigError | Conflict], work: Callable[[], None]) -> None:
    try:
        work()
    except (ConfigError, Conflict) as error:
        refused.append(error)


CHANNEL = Channel("github", hears, _connect)
