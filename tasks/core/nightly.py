"""When an application is looked at again at night, as slipway.yaml says it."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from tasks.core.strict import STRICT, Name
from tasks.core.units import Duration

__all__ = ["Nightly", "OwnNight"]


@dataclass(frozen=True, slots=True, config=STRICT)
class Nightly:
    """When environments are looked at again on fresh base images.

    Attributes:
        jitter: the night begins up to so much later, by a part that belongs to the application.
        environments: which of them; all where absent.
        refresh: stages of Dockerfiles that are built without the cache, so that dependencies are
            fetched anew.
        automatic: where no code changed and the scan has passed, nobody is asked.
    """

    cron: str
    tz: str = "UTC"
    jitter: Duration | None = None
    environments: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    refresh: tuple[str, ...] = ()
    automatic: bool = False


@dataclass(frozen=True, slots=True, config=STRICT)
class OwnNight:
    """What an environment says about its nights itself; the application's `nightly` else."""

    cron: str | None = None
    tz: str | None = None
    jitter: Duration | None = None
    automatic: bool | None = None
