"""How a release is put into an environment."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from tasks.core.strict import STRICT, Name
from tasks.core.units import Duration

__all__ = [
    "BlueGreen",
    "Canary",
    "CanaryStep",
    "Hook",
    "Hooks",
    "RollbackRules",
    "Rolling",
    "Strategy",
    "Testers",
]


@dataclass(frozen=True, slots=True, config=STRICT)
class Rolling:
    """Kubernetes' own rolling update; the whole release is restored when it fails.

    Attributes:
        bake: how long it is watched afterwards; not at all where absent.
    """

    deadline: Duration = timedelta(minutes=10)
    bake: Duration | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class CanaryStep:
    """One share of the traffic.

    Attributes:
        share: percent of the requests that the new release answers; 0 lets only testers in.
        wait: the least time that it is watched; as short as the evidence allows where absent.
        gate: wait for a person's yes before the next step.
    """

    share: Annotated[int, Field(ge=0, le=100)]
    wait: Duration | None = None
    gate: bool = False


@dataclass(frozen=True, slots=True, config=STRICT)
class Testers:
    """Who sees the new release before anybody else does, through a Gateway API route.

    Attributes:
        header: name of a request header that is `always`.
        cookie: name of a cookie that is `always`.
    """

    __test__ = False  # not a test case for pytest

    header: str = "X-Canary"
    cookie: str | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Canary:
    """A second workload beside the stable one takes shares of the traffic, in percent.

    Attributes:
        bake: how long the last share is watched before the release becomes the stable one.
        standby: the stable workload keeps all its replicas until the bake has passed.
    """

    steps: tuple[Annotated[int, Field(ge=1, le=100)] | CanaryStep, ...]
    bake: Duration = timedelta(minutes=15)
    deadline: Duration = timedelta(minutes=10)
    standby: bool = True
    testers: Testers = Testers()

    @property
    def ladder(self) -> tuple[CanaryStep, ...]:
        """The steps, each written in full."""
        return tuple(CanaryStep(each) if isinstance(each, int) else each for each in self.steps)


@dataclass(frozen=True, slots=True, config=STRICT)
class BlueGreen:
    """A canary with one step."""

    bake: Duration = timedelta(minutes=15)
    deadline: Duration = timedelta(minutes=10)
    standby: bool = True
    testers: Testers = Testers()


@dataclass(frozen=True, slots=True, config=STRICT)
class Strategy:
    """How a release is put into an environment: exactly one of these."""

    rolling: Rolling | None = None
    canary: Canary | None = None
    blueGreen: BlueGreen | None = None  # noqa: N815 the field's own word

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(one is not None for one in (self.rolling, self.canary, self.blueGreen)) != 1:
            raise PydanticCustomError(
                "strategy_count", "must name exactly one of rolling, canary, blueGreen"
            )
        return self


@dataclass(frozen=True, slots=True, config=STRICT)
class Hook:
    """A Job of the manifests that runs to its end before, or after, everything else.

    Attributes:
        job: its name in the manifests.
        deadline: a Job that has not ended by then has failed.
    """

    job: Name
    deadline: Duration = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, config=STRICT)
class Hooks:
    """Migrations: expand before the new release runs, contract after the old one is gone."""

    before: tuple[Hook, ...] = ()
    after: tuple[Hook, ...] = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class RollbackRules:
    """What happens when a finished rollout hurts.

    Attributes:
        window: for so long after a rollout an alert takes it back; later it pages.
        automatic: whether an alert may take it back at all.
        approval: who has to say yes to a rollback by hand: nobody, one approver, or, within the
            window, nobody but those who approved the release when it came in.
    """

    window: Duration = timedelta(minutes=60)
    automatic: bool = True
    approval: Literal["none", "one", "with release"] = "one"
