"""Report: what a rollout's record shows, as a page, and what an environment's records add up to."""

__all__: list[str] = []
