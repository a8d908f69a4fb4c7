"""Which pods a Service sends to, and which Services an HTTPRoute does."""

from collections.abc import Iterable, Iterator, Mapping

from tasks.core.objects import Kind, Object, Ref, pod_template, ref_of
from tasks.core.tracks import TRACK

__all__ = ["HTTP_ROUTE", "SERVICE", "backend_of", "is_routed", "labels_of", "reached", "selects"]

HTTP_ROUTE = "HTTPRoute"
SERVICE = Kind("v1", "Service")


def labels_of(workload: Object) -> dict[str, str]:
    """Return the labels of a workload's pods."""
    template = pod_template(workload) or {}
    return dict((template.get("metadata") or {}).get("labels") or {})


def selects(service: Object, labels: Mapping[str, str]) -> bool:
    """Say whether a Service sends to pods with these labels, on whichever track they are."""
    selector = (service.get("spec") or {}).get("selector") or {}
    wanted = {key: value for key, value in selector.items() if key != TRACK}
    return bool(wanted) and wanted.items() <= labels.items()


def backend_of(backend: Object, route: Object) -> Ref | None:
    """Return the Service that a backendRef of a route names; None where it is no Service."""
    if backend.get("group") or backend.get("kind", SERVICE.name) != SERVICE.name:
        return None
    home = route["metadata"].get("namespace", "")
    return Ref(SERVICE, backend.get("namespace") or home, backend["name"])


def reached(route: Object) -> Iterator[Ref]:
    """Walk over the Services that the rules of a route send to."""
    for rule in (route.get("spec") or {}).get("rules") or ():
        for backend in rule.get("backendRefs") or ():
            service = backend_of(backend, route)
            if service is not None:
                yield service


def is_routed(service: Object, objects: Iterable[Object]) -> bool:
    """Say whether an HTTPRoute among objects sends to a Service."""
    ref = ref_of(service)
    return any(ref in reached(each) for each in objects if each["kind"] == HTTP_ROUTE)
