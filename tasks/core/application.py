"""An application as its slipway.yaml describes it: validated once, frozen afterwards."""

from dataclasses import field
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic.dataclasses import dataclass

from tasks.core.calendar import Calendar
from tasks.core.gates import Approval, Freeze, People, Window
from tasks.core.generated import GeneratedSecret
from tasks.core.monitoring import AlertRule, Monitoring
from tasks.core.nightly import Nightly, OwnNight
from tasks.core.notices import Notify
from tasks.core.previews import Previews
from tasks.core.probes import Probe
from tasks.core.slos import Slos
from tasks.core.strategy import Hooks, RollbackRules, Rolling, Strategy
from tasks.core.strict import STRICT, Name
from tasks.core.triggers import Trigger
from tasks.core.units import Duration, Size

__all__ = [
    "Action",
    "Application",
    "Component",
    "Environment",
    "GeneratedSecret",
    "ImageTarget",
    "LintTarget",
    "ScanPolicy",
    "Smoke",
    "TestTarget",
    "Waiver",
]


class Action(StrEnum):
    """What a finding does to a release."""

    BLOCK = "block"
    WARN = "warn"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, config=STRICT)
class LintTarget:
    """A Dockerfile target whose build is the linter's run."""

    target: str = "lint"
    deadline: Duration = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, config=STRICT)
class TestTarget:
    """A Dockerfile target whose build runs the tests.

    Attributes:
        report: JUnit file inside the target's file system; a file `exit-code` beside it is
            honoured, so that the report of a failing run can be collected.
    """

    __test__ = False  # not a test case for pytest

    target: str = "test"
    report: str | None = None
    deadline: Duration = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, config=STRICT)
class ImageTarget:
    """The image that a component becomes.

    Attributes:
        name: the image's name in the manifests; application and component joined where absent.
        max_size: budget of the unpacked image in bytes.
    """

    target: str = "runtime"
    name: str | None = None
    max_size: Size | None = None
    args: dict[str, str] = field(default_factory=dict)
    deadline: Duration = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, config=STRICT)
class Smoke:
    """How the image is tried on its own before anybody else sees it.

    Attributes:
        path: HTTP path that must answer 2xx; the image's HEALTHCHECK counts where absent.
        env: variables that the image needs to start alone.
        memory: limit in bytes; that of the manifests where absent.
        within: time to become healthy.
        grace: time to stop after SIGTERM; that of the manifests where absent.
    """

    path: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    memory: Size | None = None
    within: Duration = timedelta(seconds=30)
    grace: Duration | None = None
    writable: tuple[str, ...] = ("/tmp",)  # noqa: S108 a path inside the container


@dataclass(frozen=True, slots=True, config=STRICT)
class Component:
    """One image of an application.

    Attributes:
        depends_on: components that have to be ready in the new release before this one starts.
    """

    context: str
    dockerfile: str = "Dockerfile"
    lint: LintTarget | None = None
    test: TestTarget | None = None
    image: ImageTarget = field(default_factory=ImageTarget)
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    smoke: Smoke | None = None
    depends_on: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class Environment:
    """A cluster and a namespace.

    Attributes:
        url: public address, for probes and for people.
        prometheus: address of the Prometheus that scrapes it; the lab's own where absent.
        context: kube context; one that a person names on the command line goes before it.
        strategies: another strategy for some components.
        on_drift: what to do about fields that somebody else has changed: refuse the rollout, or
            take them over.
        when_busy: whether a newer release waits for a rollout that is under way, or takes its
            place.
        windows: times in which alone a rollout may begin; at any time where there are none.
        freezes: times in which none may begin, inside a window or not.
        overriders: who may open freezes and windows, each time with a reason.
        secrets: generated where missing, never committed, never replaced.
    """

    overlay: str
    namespace: Name
    context: str | None = None
    url: str | None = None
    prometheus: str | None = None
    strategy: Strategy = field(default_factory=lambda: Strategy(rolling=Rolling()))
    strategies: dict[Name, Strategy] = field(default_factory=dict)
    on_drift: Literal["refuse", "take over"] = "refuse"
    when_busy: Literal["queue", "supersede"] = "queue"
    rollback: RollbackRules = field(default_factory=RollbackRules)
    probes: tuple[Probe, ...] = ()
    approval: Approval | None = None
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    overriders: tuple[str, ...] = ()
    nightly: OwnNight | None = None
    secrets: tuple[GeneratedSecret, ...] = ()

    @property
    def calendar(self) -> Calendar:
        """When anything may come in."""
        return Calendar(self.windows, self.freezes)


@dataclass(frozen=True, slots=True, config=STRICT)
class Waiver:
    """A finding that somebody answers for until a day."""

    id: str
    reason: Annotated[str, StringConstraints(min_length=10)]
    expires: date
    component: Name | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class ScanPolicy:
    """What each kind of finding does to a release.

    Attributes:
        critical, high, medium, low: vulnerabilities and misconfigurations of that severity.
        licences: a licence of Trivy's classes forbidden or restricted.
        no_database: the vulnerability database is missing or older than 72 hours.
        nothing_scanned: Trivy found nothing that it could look at.
    """

    critical: Action = Action.BLOCK
    high: Action = Action.BLOCK
    medium: Action = Action.WARN
    low: Action = Action.IGNORE
    secrets: Action = Action.BLOCK
    licences: Action = Action.WARN
    no_database: Action = Action.BLOCK
    nothing_scanned: Action = Action.BLOCK
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class Application:
    """A repository with a slipway.yaml; environments stand in the order of promotion.

    Attributes:
        groups: people that stand together as `@name` where approvers are named.
        irreversible: why there is no way back behind this commit's release; such a release is
            never taken back without a person, who is paged instead.
        triggers: which events start a delivery; a push to the default branch where absent.
        previews: where pull requests of the own repository are shown; nowhere where absent.
    """

    application: Name
    components: Annotated[dict[Name, Component], Field(min_length=1)]
    environments: Annotated[dict[Name, Environment], Field(min_length=1)]
    registry: str | None = None
    groups: dict[Name, People] = field(default_factory=dict)
    scan: ScanPolicy = field(default_factory=ScanPolicy)
    slos: Slos = field(default_factory=Slos)
    hooks: Hooks = field(default_factory=Hooks)
    irreversible: str | None = None
    nightly: Nightly | None = None
    alerts: tuple[AlertRule, ...] = ()
    monitoring: Monitoring = field(default_factory=Monitoring)
    triggers: tuple[Trigger, ...] | None = None
    notify: Notify = field(default_factory=Notify)
    previews: Previews | None = None

    def image_name(self, component: str) -> str:
        """Return the name that stands for a component's image in the manifests."""
        return self.components[component].image.name or f"{self.application}-{component}"
