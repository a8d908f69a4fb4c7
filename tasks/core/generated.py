"""Secrets that nobody has to know."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from tasks.core.strict import STRICT, Name

__all__ = ["GeneratedSecret"]


@dataclass(frozen=True, slots=True, config=STRICT)
class GeneratedSecret:
    """A Kubernetes Secret that is made once for an environment with random values."""

    name: Name
    keys: Annotated[tuple[str, ...], Field(min_length=1)]
