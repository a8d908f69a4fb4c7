"""Synthetic requests, as slipway.yaml describes them."""

from dataclasses import field
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from tasks.core.strict import STRICT, Name
from tasks.core.units import Duration

__all__ = ["EVERY_WAY", "Grpc", "Probe", "ProbeJob", "Scalar", "Tcp", "Via"]

PortNumber = Annotated[int, Field(ge=1, le=65535)]
Scalar = str | int | float | bool | None

Via = Literal["pods", "service", "route"]
"""The ways to a release: each pod by itself, a Service, the public address."""
EVERY_WAY: frozenset[Via] = frozenset({"pods", "service", "route"})


@dataclass(frozen=True, slots=True, config=STRICT)
class Tcp:
    """A connection that must be accepted.

    Attributes:
        port: the component's own where absent.
    """

    port: PortNumber | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Grpc:
    """A question to the server's grpc.health.v1.Health.

    Attributes:
        port: the component's own where absent.
        service: which of the server's services; the server as a whole where empty.
    """

    port: PortNumber | None = None
    service: Annotated[str, Field(max_length=127)] = ""


@dataclass(frozen=True, slots=True, config=STRICT)
class ProbeJob:
    """A Job of one container in the environment's namespace; it must end with status 0.

    Attributes:
        image: by digest or name; the component's released image where absent.
        command: the image's own where absent.
        env: variables beside SLIPWAY_RELEASE and, for a component, SLIPWAY_SERVICE.
    """

    image: str | None = None
    command: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, config=STRICT)
class Probe:
    """A synthetic request to new pods, their Service or the public route.

    Exactly one of path, tcp, grpc, command and job says what is asked.

    Attributes:
        path: an HTTP GET, with its query.
        tcp: a connection.
        grpc: a health check.
        command: run in the component's container of each new pod; its exit status decides.
        job: a container that asks by itself; its exit status decides.
        component: whose pods; a probe without one goes to the public route only.
        via: pods (each new pod directly), service (the component's Service) or route (the
            environment's url).
        scheme: how pods and Services are asked, gRPC too; their certificates are not verified.
        port: the component's own, or its Service's first, where absent.
        contains: text in a good answer's body, or in what a command prints.
        json: what stands in a good answer's body, by JSON path (RFC 9535).
        within: longest time an answer may take; a Job may take until the deadline.
        passes: consecutive passes needed; a Job runs once.
        deadline: time until the passes must have come.
    """

    path: str | None = None
    tcp: Tcp | None = None
    grpc: Grpc | None = None
    command: tuple[str, ...] | None = None
    job: ProbeJob | None = None
    component: Name | None = None
    via: Via = "pods"
    scheme: Literal["http", "https"] = "http"
    port: PortNumber | None = None
    expect: Annotated[int, Field(ge=100, le=599)] = 200
    contains: str | None = None
    json: dict[str, Scalar] = field(default_factory=dict)
    within: Duration = timedelta(seconds=1)
    passes: Annotated[int, Field(ge=1, le=100)] = 3
    deadline: Duration = timedelta(seconds=60)

    @property
    def way(self) -> Via:
        """How it really goes: a Job of a component asks its Service, what has none the route."""
        if self.component is None or self.via == "route":
            return "route"
        return "service" if self.job is not None else self.via

    def is_among(self, components: frozenset[str] | None, via: frozenset[Via]) -> bool:
        """Say whether it goes one of these ways, to one of these components; all where None."""
        is_of = components is None or self.component is None or self.component in components
        return is_of and self.way in via
