"""Programs built from Go modules, cached by everything that they are made from."""

from infra.lab.builds.go import GoProgram

__all__ = ["GoProgram"]
