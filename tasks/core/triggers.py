"""Which events of a repository start a delivery, and how far it goes."""

import re
from typing import Annotated, Literal

from pydantic import StringConstraints
from pydantic.dataclasses import dataclass

from tasks.core.strict import STRICT, Name

__all__ = ["Pattern", "Trigger", "matches"]

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""`*` stands for anything but a slash, `**` for anything, `?` for one character."""


@dataclass(frozen=True, slots=True, config=STRICT)
class Trigger:
    """One rule; the first that fits an event counts.

    Attributes:
        event: GitHub's word for it.
        branches: patterns of branches; of a push, the default branch where neither branches nor
            tags stand here; of a workflow run, the default branch where absent; of a pull request,
            those that it may be proposed to, any where absent.
        tags: patterns of tags.
        paths: patterns of files of which a push must touch one.
        workflows: names of the workflows whose success counts; any where absent.
        until: last environment to go to; all of them where absent.
        drafts: whether draft pull requests are checked, too.
        prereleases: whether releases that are marked as such are delivered, too.
    """

    event: Literal["push", "pull_request", "release", "workflow_run", "deployment"]
    branches: tuple[Pattern, ...] = ()
    tags: tuple[Pattern, ...] = ()
    paths: tuple[Pattern, ...] = ()
    workflows: tuple[Pattern, ...] = ()
    until: Name | None = None
    drafts: bool = False
    prereleases: bool = False


def matches(patterns: tuple[str, ...], text: str) -> bool:
    """Say whether a text fits one of the patterns."""
    return any(re.fullmatch(_translated(pattern), text, re.DOTALL) for pattern in patterns)


_WILD = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def _translated(pattern: str) -> str:
    parts = re.split(r"(\*\*|\*|\?)", pattern)
    return "".join(_WILD.get(part) or re.escape(part) for part in parts)
