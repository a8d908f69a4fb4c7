"""What can be started on Prefect: the typed catalogue."""

__all__ = ["OURS", "POOL"]

POOL = "slipway"
"""The work pool that our workers serve."""

OURS = "slipway"
"""The tag of what Slipway has registered, and may delete."""
