"""Which cluster an environment is in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tasks.core.application import Application, Environment
from tasks.core.errors import ConfigError
from tasks.core.nightly import OwnNight
from tasks.core.nights import nightly_of
from tasks.core.target import Target
from tasks.rollout.model import Place, Rules

__all__ = ["Where", "place_of", "place_without_repository", "where_in", "where_of"]


@dataclass(frozen=True, slots=True)
class Where:
    """Where an environment is; context is empty where the target names it."""

    namespace: str
    context: str = ""


def where_in(places: Mapping[str, Where], name: str) -> Where:
    """Return where an environment is, of those that a form offers.

    Raises:
        ConfigError: it is none of them.
    """
    if name not in places:
        raise ConfigError(
            f"no environment {name!r}" if places else "its namespace is missing",
            where=name,
            next_step=f"choose one of {', '.join(places)}" if places else "fill in namespace",
        )
    return places[name]


def where_of(name: str, named: Where, places: Mapping[str, Where]) -> Where:
    """Return where an environment is: as a person says, and else as a form offers it.

    Args:
        name: of the environment.
        named: what the person fills in; empty what they leave out.
        places: those that the form offers.

    Raises:
        ConfigError: neither says it.
    """
    found = named if named.namespace else where_in(places, name)
    return replace(found, context=named.context or found.context)


def place_of(application: Application, name: str, target: Target) -> Place:
    """Return an environment with its cluster: the context that a person named, else its own.

    Raises:
        ConfigError: the environment does not exist, or nobody named a context.
    """
    if name not in application.environments:
        raise ConfigError(
            f"no environment {name!r}",
            where=f"{application.application}: environments",
            next_step=f"choose one of {', '.join(application.environments)}",
        )
    environment = application.environments[name]
    night = nightly_of(application, name)
    # records keep it with the environment, and it lets something in
    own = OwnNight(automatic=bool(night and night.automatic))
    environment = replace(environment, nightly=own)
    context = target.context or environment.context
    if not context:
        raise ConfigError(
            "no cluster was named",
            where=f"{application.application}: environments.{name}.context",
            next_step="name one there or with --context",
        )
    prometheus = environment.prometheus or target.prometheus
    place_target = replace(target, context=context, prometheus=prometheus)
    rules = Rules(
        hooks=application.hooks,
        order={name: each.depends_on for name, each in application.components.items()},
        slos=application.slos,
    )
    return Place(application.application, name, environment, place_target, rules)


def place_without_repository(
    application: str, name: str, namespace: str, target: Target, context: str | None = None
) -> Place:
    """Return an environment of which only its records say how it is described.

    Args:
        application: name in slipway.yaml.
        name: of the environment there.
        namespace: where its records are.
        target: the cluster.
        context: kube context, where the target names none.
    """
    named = replace(target, context=target.context or context or "")
    return Place(application, name, Environment("", namespace), named)
