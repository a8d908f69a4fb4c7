"""Synthetic requests, as slipway.yaml describes them."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from tasks.core.strict import STRICT, Name
from tasks.core.units import Duration

__all__ = ["Probe"]


@dataclass(frozen=True, slots=True, config=STRICT)
class Probe:
    """A synthetic request to new pods and to the public route.

    Attributes:
        component: whose pods; a probe without one goes to the public route only.
        via: pods (each new pod directly) or route (the environment's url).
        passes: consecutive passes needed.
        within: longest time an answer may take.
        deadline: time until the passes must have come.
    """

    path: str
    component: Name | None = None
    via: Literal["pods", "route"] = "pods"
    expect: Annotated[int, Field(ge=100, le=599)] = 200
    contains: str | None = None
    within: Duration = timedelta(seconds=1)
    passes: Annotated[int, Field(ge=1, le=100)] = 3
    deadline: Duration = timedelta(seconds=60)
