"""A pull request's own namespace, for a while."""

from tasks.preview.effects import claim, remove

__all__ = ["claim", "remove"]
