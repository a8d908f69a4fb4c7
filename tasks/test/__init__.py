"""The tests of each component, run by BuildKit, with their JUnit report."""

from tasks.test.effects import test

__all__ = ["test"]
