"""Programs built from Go modules, cached by everything that they are made from."""

from infra.lab.builds.go import GoProgram, go, wanted_go

__all__ = ["GoProgram", "go", "wanted_go"]
