"""What happens to a pull request, and what that starts."""

from infra.webhook.model import Ignore, PullRequest, Repository, Start
from tasks.core.proposal import name_of_pull
from tasks.core.triggers import Trigger, matches
from tasks.source.decide import is_commit

__all__ = ["decide_pull_request"]

NEW_HEAD = ("opened", "reopened", "synchronize", "ready_for_review")
"""Actions after which the head is one that nobody has looked at."""


def decide_pull_request(
    pull: PullRequest, repository: Repository, rules: tuple[Trigger, ...]
) -> Start | Ignore:
    """Say what a pull request starts.

    Args:
        pull: what GitHub tells of it.
        repository: that it is proposed to.
        rules: those for pull requests.
    """
    if pull.action not in NEW_HEAD:
        return Ignore(f"the pull request was {pull.action}")
    if not is_commit(pull.commit):
        return Ignore(f"{pull.commit!r} is no commit")
    fitting = [each for each in rules if not each.branches or matches(each.branches, pull.base)]
    if not fitting:
        return Ignore(f"no trigger fits a pull request to {pull.base}")
    if pull.draft and not fitting[0].drafts:
        return Ignore("the pull request is a draft")
    parameters: dict[str, object] = {
        "repository": repository.address,
        "number": pull.number,
        "commit": pull.commit,
        "fork": pull.fork,
    }
    name = name_of_pull(repository.address, pull.number)
    return Start("check/check", f"check {name}", parameters)
