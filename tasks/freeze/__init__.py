"""Weekly times in which nothing is rolled out."""

from tasks.freeze.decide import frozen_until

__all__ = ["frozen_until"]
