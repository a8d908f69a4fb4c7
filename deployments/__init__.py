"""What can be started on Prefect: the typed catalogue."""

__all__ = ["POOL"]

POOL = "slipway"
"""The work pool that our workers serve."""
