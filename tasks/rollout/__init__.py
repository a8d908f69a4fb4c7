"""Rollout: putting a release into an environment, and taking it back."""

__all__: list[str] = []
