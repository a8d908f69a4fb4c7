"""Images out of clean trees, the same from the same tree."""

from tasks.build.effects import build

__all__ = ["build"]
