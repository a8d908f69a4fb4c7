"""The linter of each component, run by BuildKit."""

from tasks.lint.effects import lint

__all__ = ["lint"]
