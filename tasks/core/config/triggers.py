"""Whether the rules for events can ever fit one."""

from collections.abc import Iterator

from tasks.core.application import Application
from tasks.core.config.problem import Finding, Path
from tasks.core.triggers import Trigger

__all__ = ["trigger_findings"]

_TAKEN = {
    "push": ("branches", "tags", "paths", "until"),
    "pull_request": ("branches", "drafts"),
    "release": ("tags", "until", "prereleases"),
    "workflow_run": ("branches", "workflows", "until"),
    "deployment": ("until",),
}
"""The keys that mean something for an event."""


def trigger_findings(application: Application) -> Iterator[Finding]:
    """Environments that do not exist, and keys that an event knows nothing of."""
    for index, trigger in enumerate(application.triggers or ()):
        path: Path = ("triggers", index)
        if trigger.until is not None and trigger.until not in application.environments:
            there = ", ".join(application.environments)
            what = f"{trigger.until} is no environment of this application"
            yield Finding((*path, "until"), what, f"name one of {there}")
        yield from _idle(trigger, path)


def _idle(trigger: Trigger, path: Path) -> Iterator[Finding]:
    for key in ("branches", "tags", "paths", "workflows", "until", "drafts", "prereleases"):
        if getattr(trigger, key) and key not in _TAKEN[trigger.event]:
            taken = ", ".join(_TAKEN[trigger.event])
            yield Finding(
                (*path, key),
                f"says nothing about a {trigger.event}",
                f"remove it; a {trigger.event} takes {taken}",
            )
