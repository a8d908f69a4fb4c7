"""The line that tells an approver why the last answer did not count."""

import re

__all__ = ["NOTICE", "read_notice"]

NOTICE = "> ⚠ The last answer did not count: "
"""A description begins with it, behind it the reason as markdown."""


def read_notice(description: str) -> str:
    """Return the notice that a description begins with, empty where it has none."""
    first = description.partition("\n")[0]
    if not first.startswith(NOTICE):
        return ""
    return re.sub(r"\\(.)", r"\1", first.removeprefix(NOTICE))
