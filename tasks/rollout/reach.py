"""Which pods a Service sends to, which Services an HTTPRoute does, and on which ports."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tasks.core.objects import Kind, Object, Ref, container_lists, pod_template, ref_of
from tasks.core.tracks import TRACK

__all__ = [
    "HTTP_ROUTE",
    "SERVICE",
    "asked",
    "backend_of",
    "is_routed",
    "labels_of",
    "missed_ports",
    "ports_of",
    "reached",
    "selects",
]

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


def asked(route: Object) -> Iterator[tuple[Ref, int]]:
    """Walk over the Services that the rules of a route send to, with the port that is asked for."""
    for rule in (route.get("spec") or {}).get("rules") or ():
        for backend in rule.get("backendRefs") or ():
            service = backend_of(backend, route)
            if service is not None:
                yield service, backend.get("port", 0)


def reached(route: Object) -> Iterator[Ref]:
    """Walk over the Services that the rules of a route send to."""
    return (service for service, _ in asked(route))


def is_routed(service: Object, objects: Iterable[Object]) -> bool:
    """Say whether an HTTPRoute among objects sends to a Service."""
    ref = ref_of(service)
    return any(ref in reached(each) for each in objects if each["kind"] == HTTP_ROUTE)


def ports_of(service: Object) -> Sequence[Object]:
    """Return the ports of a Service."""
    return (service.get("spec") or {}).get("ports") or ()


def missed_ports(live: Object, workload: Object, wanted: Iterable[Object]) -> Iterator[int]:
    """Walk over the ports of a live Service that lead to where new pods do not listen.

    They listen where the ports that the new release keeps lead to in it; where one is gone, at
    any port that its Services lead to or that the pods declare.

    Args:
        live: the Service as it is in the live release.
        workload: one of the new release that it sends to.
        wanted: the objects of the new release.
    """
    leading = [each for each in wanted if each["kind"] == SERVICE.name and _leads(each, workload)]
    targets = {
        (ref_of(each), _key(port)): _target(port) for each in leading for port in ports_of(each)
    }
    listening = {_number(target, workload) for target in targets.values()}
    listening |= {port["containerPort"] for port in _declared(workload)}
    for port in ports_of(live):
        was = _target(port)
        now = targets.get((ref_of(live), _key(port)))
        if now == was:
            continue
        right = listening if now is None else {_number(now, workload)}
        if _number(was, workload) not in right - {None}:
            yield port["port"]


def _leads(service: Object, workload: Object) -> bool:
    return selects(service, labels_of(workload))


def _key(port: Object) -> tuple[int, str]:
    return port["port"], port.get("protocol", "TCP")


def _target(port: Object) -> int | str:
    target: int | str = port.get("targetPort") or port["port"]
    return target


def _number(target: int | str, workload: Object) -> int | None:
    """Return the port that a Service's target is in a workload's pods; None for a name of none."""
    if isinstance(target, int):
        return target
    named = (each["containerPort"] for each in _declared(workload) if each.get("name") == target)
    return next(named, None)


def _declared(workload: Object) -> Iterator[Object]:
    for containers in container_lists(workload):
        for container in containers:
            yield from container.get("ports") or ()
