"""Probe: synthetic requests to new pods and to the public route."""

__all__: list[str] = []
