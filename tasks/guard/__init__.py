"""Guard: what an alert about a finished rollout leads to."""

__all__: list[str] = []
