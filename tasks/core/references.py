"""Which ConfigMaps and Secrets a workload's pods read."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.core.objects import Object, pod_template

__all__ = ["Reference", "references", "renamed"]

Reference = tuple[str, str]
"""Kind and name."""

_KINDS = {
    "configMap": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
    "azureFile": "Secret",
    "imagePullSecrets": "Secret",
    "nodePublishSecretRef": "Secret",
    "secret": "Secret",
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
}
"""Fields of a PodSpec that name one: volumes, projected sources, env, envFrom, pulling."""

_NAMES = ("name", "secretName")


def references(workload: Object) -> frozenset[Reference]:
    """Return what a workload's pods read, wherever in the pod it is named."""
    spec = (pod_template(workload) or {}).get("spec") or {}
    return frozenset(reference for _, _, reference in _places(spec))


def renamed(workload: Object, names: Mapping[Reference, str]) -> Object:
    """Return a workload whose pods read others in the place of those that are named."""
    changed = copy.deepcopy(workload)
    spec = (pod_template(changed) or {}).get("spec") or {}
    for place, key, reference in _places(spec):
        place[key] = names.get(reference, reference[1])
    return changed


def _places(value: Any, field: str = "") -> Iterator[tuple[Object, str, Reference]]:  # noqa: ANN401 YAML
    """Walk over the mappings that name one, with the key that holds its name."""
    if isinstance(value, list):
        for item in value:
            yield from _places(item, field)
    elif isinstance(value, dict):
        kind = _KINDS.get(field)
        if kind:
            for key in _NAMES:
                if isinstance(value.get(key), str):
                    yield value, key, (kind, value[key])
        for name, item in value.items():
            yield from _places(item, name)
