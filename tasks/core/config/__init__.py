"""slipway.yaml: `load` for flows, `check` for people, `schema` for editors."""

from tasks.core.config.load import FILE, Examination, check, examine, load
from tasks.core.config.problem import Problem
from tasks.core.config.schema import schema

__all__ = ["FILE", "Examination", "Problem", "check", "examine", "load", "schema"]
