"""A commit as a clean tree on this machine."""

from tasks.source.effects import fetch_source

__all__ = ["fetch_source"]
