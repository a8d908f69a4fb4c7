"""Times in which nothing is rolled out."""

from tasks.freeze.decide import require_open_at

__all__ = ["require_open_at"]
