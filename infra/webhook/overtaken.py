"""Events that come after what has overtaken them: GitHub promises no order, and repeats at will."""

from collections.abc import Iterable

from infra.webhook.decide import decide
from infra.webhook.model import Facts, Kept, Push, Repository, Start, WorkflowEnded

__all__ = ["overtaken_by"]


def overtaken_by(
    kept: Kept, start: Start, earlier: Iterable[Kept], repository: Repository | None
) -> Kept | None:
    """Return what came before an event and tells of something later, None where nothing does.

    Only what goes as far itself speaks against it: a commit that is skipped overtakes none.

    Args:
        kept: a push, or a workflow's end.
        start: what it would start.
        earlier: events of its kind and ref that were stored before it.
        repository: that they are about.
    """
    if repository is None:
        return None
    for each in earlier:
        if not _is_later(each.event.facts, kept.event.facts):
            continue
        other = decide(each.event, repository)
        if isinstance(other, Start) and _reach(other, repository) >= _reach(start, repository):
            return each
    return None


def _is_later(other: Facts, mine: Facts) -> bool:
    if isinstance(other, Push) and isinstance(mine, Push):
        return bool(other.pushed_at and mine.pushed_at and other.pushed_at > mine.pushed_at)
    if isinstance(other, WorkflowEnded) and isinstance(mine, WorkflowEnded):
        return other.file == mine.file != 0 and other.number > mine.number
    return False


def _reach(start: Start, repository: Repository) -> int:
    """Return how many environments a delivery goes behind the first."""
    environments = [*repository.application.environments]
    until = start.parameters["until"]
    return environments.index(str(until)) if until in environments else len(environments) - 1
