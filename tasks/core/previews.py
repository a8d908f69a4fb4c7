"""Environments that pull requests have for a while, as slipway.yaml describes them."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic.dataclasses import dataclass

from tasks.core.generated import GeneratedSecret
from tasks.core.strict import STRICT
from tasks.core.units import Duration

__all__ = ["NUMBER", "Previews", "name_of"]

NUMBER = "{number}"
"""Stands where the number of the pull request will be."""


@dataclass(frozen=True, slots=True, config=STRICT)
class Previews:
    """Where pull requests of the own repository are shown.

    Attributes:
        overlay: of the pull request's own commit; `{number}` in its manifests becomes the number.
        namespace: with `{number}` in it, such as `shop-pr-{number}`.
        context: kube context; one that a person names on the command line goes before it.
        url: with `{number}` in it; for people.
        from_forks: a stranger's code is never rolled out, whatever stands here.
        keep: so long after the last rollout a preview is removed, if it is there still.
        most: how many there may be at once.
        secrets: generated in each of them.
    """

    overlay: str
    namespace: Annotated[str, StringConstraints(max_length=38)]
    context: str | None = None
    url: str | None = None
    from_forks: Literal["never"] = "never"
    keep: Duration = timedelta(hours=72)
    most: Annotated[int, Field(ge=1, le=100)] = 5
    secrets: tuple[GeneratedSecret, ...] = ()


def name_of(number: int) -> str:
    """Return what the environment of a pull request is called."""
    return f"pr-{number}"
