"""Kubernetes objects as the plain mappings that they are in YAML and JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

__all__ = [
    "Kind",
    "Object",
    "Ref",
    "Resource",
    "container_lists",
    "dump_stream",
    "parse_stream",
    "pod_template",
    "read_document",
    "read_documents",
    "ref_of",
]

Object = dict[str, Any]
"""One object: `apiVersion`, `kind`, `metadata` and what its kind adds."""

_TEMPLATES = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A kind of object in one version of its API, such as `apps/v1` and `Deployment`."""

    api_version: str
    name: str

    @property
    def group(self) -> str:
        """Return what all versions of its API share; the core API has but one, `v1`."""
        return self.api_version.partition("/")[0]


@dataclass(frozen=True, slots=True, eq=False)
class Ref:
    """The name of an object in a cluster; namespace is empty where its kind has none.

    A cluster keeps one object for all versions of its API: names that differ in the version alone
    are equal, and the version only says in which one the object is asked for.
    """

    kind: Kind
    namespace: str
    name: str

    def __eq__(self, other: object) -> bool:
        """Say whether both name the same object."""
        return isinstance(other, Ref) and self._identity == other._identity

    def __hash__(self) -> int:
        """Agree with what is equal."""
        return hash(self._identity)

    def __lt__(self, other: "Ref") -> bool:
        """Sort by group, kind, namespace and name."""
        return self._identity < other._identity

    @property
    def _identity(self) -> tuple[str, str, str, str]:
        return self.kind.group, self.kind.name, self.namespace, self.name

    def __str__(self) -> str:
        """Say it as kubectl does: `Deployment/api`."""
        return f"{self.kind.name}/{self.name}"


@dataclass(frozen=True, slots=True)
class Resource:
    """How a cluster calls a kind in paths and rights: `deployments` for Deployment."""

    name: str
    namespaced: bool


def ref_of(thing: Object) -> Ref:
    """Return the name under which the cluster keeps an object."""
    metadata = thing["metadata"]
    kind = Kind(thing["apiVersion"], thing["kind"])
    return Ref(kind, metadata.get("namespace", ""), metadata["name"])


def parse_stream(text: str) -> tuple[Object, ...]:
    """Read a YAML stream; Lists are unpacked and empty documents left out.

    Raises:
        yaml.YAMLError: the text is no YAML.
    """
    objects: list[Object] = []
    for document in read_documents(text):
        if document:
            objects += document["items"] if document.get("kind") == "List" else [document]
    return tuple(objects)


def read_documents(text: str) -> Iterator[Any]:
    """Read a YAML stream as it stands, ten times as fast as PyYAML does by itself.

    Raises:
        yaml.YAMLError: the text is no YAML.
    """
    yield from yaml.load_all(text, Loader=_LOADER)


def read_document(text: str) -> Any:  # noqa: ANN401 whatever stands there
    """Read the only document of a YAML text.

    Raises:
        yaml.YAMLError: the text is no YAML, or holds several.
    """
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 a safe one


def dump_stream(objects: tuple[Object, ...]) -> str:
    """Write a YAML stream that is the same for the same objects."""
    return yaml.dump_all(objects, Dumper=_DUMPER, sort_keys=True, explicit_start=True)


def pod_template(thing: Object) -> Object | None:
    """Return the pod template of a workload (the pod itself for a Pod), None for other kinds."""
    path = _TEMPLATES.get(thing["kind"])
    if path is None:
        return None
    template: Object = thing
    for key in path:
        template = template.get(key) or {}
    return template


def container_lists(thing: Object) -> Iterator[list[Object]]:
    """Walk over the lists of containers that an object's pods have."""
    spec = (pod_template(thing) or {}).get("spec") or {}
    for key in ("initContainers", "containers", "ephemeralContainers"):
        if spec.get(key):
            yield spec[key]


class _NoAliases(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:
        return data is not None


_DUMPER = _NoAliases
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
