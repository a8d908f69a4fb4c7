"""From where a run was started: a tag of it, for the flow itself has nobody to ask."""

from collections.abc import Iterable

__all__ = ["origin_in", "tag_of"]

_PREFIX = "by "
UNKNOWN = "Prefect"
"""Its UI or its API: Prefect's open-source server knows no users."""


def tag_of(origin: str) -> str:
    """Return the tag that says from where a run was started."""
    return f"{_PREFIX}{origin}"


def origin_in(tags: Iterable[str]) -> str:
    """Return from where a run with these tags says it was started."""
    said = (tag.removeprefix(_PREFIX) for tag in tags if tag.startswith(_PREFIX))
    return next(said, UNKNOWN)
