"""Which namespaces are those of pull requests, and what may come into them."""

from collections.abc import Container, Iterable
from dataclasses import replace
from datetime import datetime

from tasks.core.application import Application, Environment
from tasks.core.errors import ConfigError, GateClosed
from tasks.core.model import Release, Source
from tasks.core.objects import Kind, Object, parse_stream, ref_of
from tasks.core.previews import NUMBER, Previews, name_of
from tasks.core.slos import Slos

__all__ = [
    "APPLICATION",
    "environment_of",
    "is_due",
    "namespace_of",
    "require_inside",
    "require_ours",
    "require_room",
    "shown",
]

APPLICATION, PULL_REQUEST = "slipway.dev/application", "slipway.dev/pull-request"
UNTIL = "slipway.dev/until"
"""Annotation: when the namespace may go, ISO 8601 in UTC."""


def environment_of(previews: Previews, number: int) -> Environment:
    """Return the environment of a pull request: a rolling update, and nobody who is asked."""
    return Environment(
        overlay=previews.overlay,
        namespace=previews.namespace.replace(NUMBER, str(number)),
        context=previews.context,
        url=previews.url and previews.url.replace(NUMBER, str(number)),
        secrets=previews.secrets,
        when_busy="supersede",
    )


def shown(source: Source, application: str, previews: Previews, number: int) -> Source:
    """Return a source that has the environment of its pull request, too, and is judged by nothing.

    Args:
        source: of the pull request's head.
        application: whose repository it is; the pull request may say something else.
        previews: as they were when the repository was registered, likewise.
        number: of the pull request.

    Raises:
        ConfigError: the pull request makes it another application.
    """
    described = source.application
    if described.application != application:
        raise ConfigError(
            f"calls itself {described.application} in this pull request, not {application}",
            where="slipway.yaml: application",
            next_step="merge a new name first, then slipway apply",
        )
    environments = {**described.environments, name_of(number): environment_of(previews, number)}
    return replace(source, application=replace(described, environments=environments, slos=Slos()))


def require_inside(
    release: Release, application: Application, number: int, wide: Container[Kind] = ()
) -> None:
    """See that a preview changes its own namespace alone.

    Args:
        release: of the preview.
        application: with the environment of the pull request.
        number: of the pull request.
        wide: kinds that have no namespace in the cluster, whatever an object says of its own; none
            before the cluster is asked.

    Raises:
        ConfigError: its overlay holds an object that no namespace has, but for its own.
    """
    name = name_of(number)
    own = (Kind("v1", "Namespace"), application.environments[name].namespace)
    for thing in parse_stream(release.manifests_for(name).yaml):
        ref = ref_of(thing)
        if (not ref.namespace or ref.kind in wide) and (ref.kind, ref.name) != own:
            raise ConfigError(
                f"{ref} belongs to the whole cluster",
                where=application.environments[name].overlay,
                next_step="leave it out of the overlay of previews",
            )


def namespace_of(application: str, number: int, name: str, until: datetime) -> Object:
    """Return a pull request's namespace, labelled as Slipway's and for that alone."""
    metadata = {
        "name": name,
        "labels": _labels(application, number),
        "annotations": {UNTIL: until.isoformat()},
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _labels(application: str, number: int) -> dict[str, str]:
    ours = {"app.kubernetes.io/managed-by": "slipway"}
    return {**ours, APPLICATION: application, PULL_REQUEST: str(number)}


def require_ours(namespace: Object, application: str, number: int) -> None:
    """See that a namespace was made for a pull request of an application.

    Raises:
        GateClosed: somebody else made it, or Slipway for something else.
    """
    metadata = namespace["metadata"]
    labels = metadata.get("labels") or {}
    if not _labels(application, number).items() <= labels.items():
        raise GateClosed(
            f"was not made for pull request {number} of {application}, and is left alone",
            where=f"namespace {metadata['name']}",
            next_step="give previews.namespace another name in slipway.yaml",
        )


def require_room(there: Iterable[Object], previews: Previews, application: str) -> None:
    """See that there may be one preview more beside an application's namespaces.

    Raises:
        GateClosed: there are as many as there may be.
    """
    described = [each["metadata"] for each in there]
    names = sorted(each["name"] for each in described if PULL_REQUEST in each.get("labels", {}))
    if len(names) >= previews.most:
        raise GateClosed(
            f"{len(names)} previews are there already: {', '.join(names)}",
            where=f"{application}: previews.most",
            next_step="close a pull request, or raise the number",
        )


def is_due(namespace: Object, now: datetime) -> bool:
    """Say whether a preview has been kept long enough; one without a date has."""
    until = (namespace["metadata"].get("annotations") or {}).get(UNTIL)
    try:
        return until is None or datetime.fromisoformat(until) <= now
    except (TypeError, ValueError):  # somebody wrote something else there
        return True
