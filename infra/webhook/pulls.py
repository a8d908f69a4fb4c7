"""What happens to a pull request, and what that starts."""

from pydantic import TypeAdapter

from infra.webhook.model import Ignore, PullRequest, Repository, Start
from tasks.core.previews import Previews
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
    previews = repository.application.previews if not pull.fork else None
    if pull.action == "closed" and previews is not None:
        return _about("remove-preview", pull, repository, _where(repository, previews))
    why = _pointless(pull, rules)
    if why is not None:
        return Ignore(why)
    if previews is not None:
        where = _where(repository, previews)
        return _about("preview", pull, repository, {"commit": pull.commit, **where})
    return _about("check", pull, repository, {"commit": pull.commit, "fork": pull.fork})


def _pointless(pull: PullRequest, rules: tuple[Trigger, ...]) -> str | None:
    """Say why a pull request starts nothing, None where it does."""
    if pull.action not in NEW_HEAD:
        return f"the pull request was {pull.action}"
    if not is_commit(pull.commit):
        return f"{pull.commit!r} is no commit"
    fitting = [each for each in rules if not each.branches or matches(each.branches, pull.base)]
    if not fitting:
        return f"no trigger fits a pull request to {pull.base}"
    if pull.draft and not fitting[0].drafts:
        return "the pull request is a draft"
    return None


def _where(repository: Repository, previews: Previews) -> dict[str, object]:
    """Say where previews go: as it was registered, for a pull request can change slipway.yaml."""
    described = TypeAdapter(Previews).dump_python(previews, mode="json")
    return {"application": repository.application.application, "previews": described}


def _about(flow: str, pull: PullRequest, repository: Repository, more: dict[str, object]) -> Start:
    name = f"{flow.replace('-', ' ')} {name_of_pull(repository.address, pull.number)}"
    about = {"repository": repository.address, "number": pull.number}
    return Start(f"{flow}/{flow}", name, {**about, **more})
