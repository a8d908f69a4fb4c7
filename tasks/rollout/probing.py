"""Whom probes are sent to, at each moment of a release that comes in beside the live one.

A probe is sent when nothing but the release can answer it: to canary pods before anybody meets
them and again whenever there are more of them; through the public route once a rule leads testers
to them; to stable pods while the canary answers everything; and through Services and the route when
these have come back to the stable pods.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from tasks.core.access import Access
from tasks.core.objects import Object
from tasks.core.probes import Via
from tasks.core.strategy import Testers
from tasks.rollout.components import components_in
from tasks.rollout.model import Observed
from tasks.rollout.put import stable_replicas
from tasks.rollout.reach import HTTP_ROUTE
from tasks.rollout.steps import ProbeRelease

__all__ = [
    "let_in",
    "probe_beside",
    "probe_promoted",
    "probe_route",
    "probe_served",
    "probe_share",
]

PODS: frozenset[Via] = frozenset({"pods"})
SERVICE: frozenset[Via] = frozenset({"service"})
ROUTE: frozenset[Via] = frozenset({"route"})


def let_in(routed: Iterable[Object], testers: Testers, url: str | None) -> Testers | None:
    """Return what leads a request of the public address to the canary; None where nothing does.

    Args:
        routed: Services and HTTPRoutes with the rules for testers (traffic.set_traffic).
        testers: whom the rules are for.
        url: public address of the environment.
    """
    host = urlsplit(url or "").hostname or ""
    routes = (each for each in routed if each["kind"] == HTTP_ROUTE and _serves(each, host))
    return testers if any(_has_rule(route, testers) for route in routes) else None


def probe_beside(seen: Observed, since: str, testers: Testers | None) -> Iterator[ProbeRelease]:
    """Ask the canary's pods and its own Services before anybody else does.

    Where no testers can come in, the public route is named too, so that the record says that it was
    not asked.
    """
    via = PODS | SERVICE | (ROUTE if testers is None else frozenset())
    yield from _sent(seen, since, replace(_canary(seen), via=via))


def probe_route(seen: Observed, since: str, testers: Testers | None) -> Iterator[ProbeRelease]:
    """Ask the public route as testers do, when gateways know of the rule for them."""
    if testers is not None:
        access = replace(_canary(seen), via=ROUTE, testers=testers)
        yield from _sent(seen, since, access)


def probe_share(seen: Observed, since: str) -> Iterator[ProbeRelease]:
    """Ask all pods of the release that a share has, the new ones among them."""
    in_place = frozenset(part.component for part in seen.twins.parts)
    yield from _sent(seen, since, replace(_canary(seen), via=PODS))
    yield from _sent(seen, since, Access(components=in_place, via=PODS))


def probe_promoted(seen: Observed, since: str) -> Iterator[ProbeRelease]:
    """Ask the stable pods by themselves: Services and routes still lead to the canary."""
    yield from _sent(seen, since, Access(via=PODS))


def probe_served(seen: Observed, since: str) -> Iterator[ProbeRelease]:
    """Ask Services and the route, which have come back to the stable pods."""
    yield from _sent(seen, since, Access(via=SERVICE | ROUTE))


def _canary(seen: Observed) -> Access:
    """Name the components that have a canary; one that is switched off has none."""
    on = (twin for twin in seen.twins.workloads if stable_replicas(seen.live.get(twin.stable)) > 0)
    release = seen.current.record.release
    components = frozenset[str]().union(*(components_in(twin.canary, release) for twin in on))
    return Access("canary", components)


def _sent(seen: Observed, since: str, access: Access) -> Iterator[ProbeRelease]:
    """Yield a step that has something to send."""
    probes, components = seen.environment.probes, access.components
    has_pods = components is None or bool(components)
    if has_pods and any(each.is_among(components, access.via) for each in probes):
        yield ProbeRelease(seen.current.record.release, seen.environment, since, access)


def _serves(route: Object, host: str) -> bool:
    """Say whether a route is for requests to a host."""
    names = (route.get("spec") or {}).get("hostnames") or (host,)
    return any(
        name == host or (name.startswith("*.") and host.endswith(name[1:])) for name in names
    )


def _has_rule(route: Object, testers: Testers) -> bool:
    wanted = (testers.header, "always")
    return any(
        (header["name"], header["value"]) == wanted
        for rule in (route.get("spec") or {}).get("rules") or ()
        for match in rule.get("matches") or ()
        for header in match.get("headers") or ()
    )
