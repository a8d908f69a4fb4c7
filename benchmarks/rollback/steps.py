"""What all three sides are told: the same shares of the traffic, the same patience."""

__all__ = ["BAKE_SECONDS", "PAUSE_SECONDS", "SHARES", "SUCCESS"]

SHARES = (25, 50)
PAUSE_SECONDS = 30
BAKE_SECONDS = 60
"""Slipway alone watches a release that has all the traffic before it is promoted."""
SUCCESS = 0.95
"""Share of good answers below which the peers fail a release: a bad one gives 0.8 of them."""
