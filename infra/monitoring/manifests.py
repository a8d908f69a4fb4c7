"""What an application is watched by as objects for kube-prometheus-stack."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from infra.monitoring.routes import Document, Routes
from infra.monitoring.rules import Group

__all__ = ["dashboards_object", "routes_object", "rules_object"]

_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"(.*)"')


def rules_object(name: str, namespace: str, groups: tuple[Group, ...], stack: str) -> Document:
    """Return the PrometheusRule of an environment; stack is the Helm release that takes it up."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "namespace": namespace, "labels": {"release": stack}},
        "spec": {"groups": [group.document() for group in groups]},
    }


def routes_object(name: str, namespace: str, routes: Routes, stack: str) -> Document:
    """Return the AlertmanagerConfig of an environment.

    The operator adds that only alerts with the object's own namespace are meant.
    """
    receivers = [{"name": routes.route["receiver"]}, *routes.receivers]
    return {
        "apiVersion": "monitoring.coreos.com/v1alpha1",
        "kind": "AlertmanagerConfig",
        "metadata": {"name": name, "namespace": namespace, "labels": {"release": stack}},
        "spec": {"route": _as_object(routes.route), "receivers": _as_object(receivers)},
    }


def dashboards_object(name: str, dashboards: Mapping[str, str]) -> Document:
    """Return the ConfigMap that Grafana's sidecar reads, for a namespace of its reader's choice."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"grafana_dashboard": "1"}},
        "data": dict(dashboards),
    }


def _as_object(value: object) -> object:
    """Turn what Alertmanager reads into the operator's words for it."""
    match value:
        case dict():
            return dict(_entry(key, inner) for key, inner in value.items())
        case list():
            return [_as_object(inner) for inner in value]
        case _:
            return value


def _entry(key: str, value: object) -> tuple[str, object]:
    if key == "matchers" and isinstance(value, list):
        return key, [_matcher(str(text)) for text in value]
    if key.endswith("_file"):
        place = PurePosixPath(str(value))
        return _camel(key.removesuffix("_file")), {"name": place.parent.name, "key": place.name}
    return _camel(key), _as_object(value)


def _matcher(text: str) -> Document:
    parts = _MATCHER.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r} is no matcher")
    return {"name": parts[1], "value": parts[3], "matchType": parts[2]}


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join("URL" if word == "url" else word.capitalize() for word in rest)
