"""How much of the traffic the canary gets: by the weights of routes, or by the count of pods."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from enum import StrEnum

from tasks.core.objects import Object, Ref, ref_of
from tasks.core.strategy import Testers
from tasks.core.tracks import CANARY, STABLE, TRACK, canary_name
from tasks.rollout.ownership import own_part
from tasks.rollout.reach import (
    HTTP_ROUTE,
    SERVICE,
    is_routed,
    labels_of,
    selects,
)
from tasks.rollout.splits import is_shared, split, tester_rules, whole, why_too_many
from tasks.rollout.twins import Twin, Twins

__all__ = [
    "Way",
    "all_to_canary",
    "canary_replicas",
    "is_routed",
    "real_share",
    "restore_traffic",
    "set_traffic",
    "way_of",
    "why_no_testers",
]

ALL = 100

SPARE = 2
MOST_PODS = 3
"""Canary pods for each stable one, at most: beyond three quarters of the traffic the count of pods
no longer serves to share it (99 % would take 99 times as many)."""


class Way(StrEnum):
    """What decides which requests a twin's pods get."""

    ROUTE = "route"
    SERVICE = "service"
    PODS = "pods"


def set_traffic(
    base: Iterable[Object], twins: Twins, share: int, testers: Testers | None
) -> tuple[Object, ...]:
    """Return the Services and HTTPRoutes to apply so that the canary gets its share.

    A Service that routes send to is left to the stable pods, and each route's weights decide. A
    plain one sends to the stable pods at 0, to both in between, and to the canary's at 100. What
    base has of an earlier share is undone first, so that only the newest share counts.

    Args:
        base: objects as they are in the cluster, or as in the manifests; others than Services and
            HTTPRoutes, and those that no twin is behind, are left out.
        twins: what stands beside the stable pods.
        share: percent.
        testers: requests that always go to the canary; nobody where None, and where a route has
            no room for more rules (why_no_testers says so).
    """
    things, canaries = tuple(base), _canary_services(twins)
    return (
        *(_shared_service(each, canaries, share) for each in _services(things, twins)),
        *(
            _with_spec(each, "rules", _shared_rules(each, canaries, share, testers))
            for each in _routes(things, canaries)
        ),
    )


def all_to_canary(things: Iterable[Object], twins: Twins) -> tuple[Object, ...]:
    """Return Services and routes with every Service, routed ones too, on the canary's pods."""
    known = tuple(things)
    services = {ref_of(each) for each in _services(known, twins)}
    return tuple(_with_track(each, CANARY) if ref_of(each) in services else each for each in known)


def restore_traffic(base: Iterable[Object], twins: Twins) -> tuple[Object, ...]:
    """Return the Services and HTTPRoutes to apply so that nothing is left of the canary."""
    things, canaries = tuple(base), _canary_services(twins)
    return (
        *(_with_track(each, None) for each in _services(things, twins)),
        *(
            _with_spec(each, "rules", list(whole(each, canaries)))
            for each in _routes(things, canaries)
        ),
    )


def why_no_testers(base: Iterable[Object], twins: Twins, testers: Testers) -> str | None:
    """Say which routes have no room for the rules that would let testers in."""
    canaries = _canary_services(twins)
    told = []
    for route in _routes(base, canaries):
        reason = why_too_many(_rules_with_testers(route, canaries, 0, testers))
        if reason is not None:
            told.append(f"{ref_of(route)} lets no testers in: {reason}")
    return "; ".join(told) or None


def way_of(twin: Twin, base: Iterable[Object], twins: Twins) -> Way:
    """Return what decides which requests a twin gets, in the surest way that there is."""
    labels, canaries = labels_of(twin.canary), _canary_services(twins)
    if any(selects(each, labels) for each in twins.companions if ref_of(each) in canaries):
        return Way.ROUTE
    is_served = any(each["kind"] == SERVICE.name and selects(each, labels) for each in base)
    return Way.SERVICE if is_served else Way.PODS


def canary_replicas(stable: int, share: int, way: Way) -> int:
    """Return how many pods a canary needs for its share, in percent.

    The stable Deployment keeps all of its replicas. Where it has none, somebody has switched it
    off, and the canary stays off too. Where a route gives users to the canary whatever it has for
    pods, it has two, so that one that is evicted leaves nobody without an answer.
    """
    if way is Way.ROUTE or share == ALL:
        least = min(SPARE, stable) if share else 1
        wanted = max(least, -(-stable * share // ALL))
    else:
        wanted = (2 * stable * share + ALL - share) // (2 * (ALL - share))
    return min(max(1, wanted), MOST_PODS * stable)


def real_share(stable: int, canary: int, share: int, way: Way) -> float:
    """Return the percentage of the traffic that a canary gets when it is to get a share."""
    if way is Way.ROUTE or (way is Way.SERVICE and share in (0, ALL)):
        return float(share)
    return ALL * canary / (stable + canary) if canary else 0.0


def _canary_services(twins: Twins) -> frozenset[Ref]:
    return frozenset(ref for ref in map(ref_of, twins.companions) if ref.kind == SERVICE)


def _services(base: Iterable[Object], twins: Twins) -> Iterator[Object]:
    """Walk over the Services, the canary's own left out, that a twin is behind."""
    canaries = _canary_services(twins)
    labels = [labels_of(twin.canary) for twin in twins.workloads]
    for thing in base:
        is_users = thing["kind"] == SERVICE.name and ref_of(thing) not in canaries
        if is_users and any(selects(thing, each) for each in labels):
            yield thing


def _routes(base: Iterable[Object], canaries: Collection[Ref]) -> Iterator[Object]:
    """Walk over the routes that reach a Service that has a canary."""
    return (each for each in base if each["kind"] == HTTP_ROUTE and is_shared(each, canaries))


def _shared_service(service: Object, canaries: Collection[Ref], share: int) -> Object:
    name = ref_of(service)
    if share == 0 or replace(name, name=canary_name(name.name)) in canaries:
        return _with_track(service, STABLE)
    return _with_track(service, CANARY if share == ALL else None)


def _with_track(service: Object, track: str | None) -> Object:
    selector = {key: value for key, value in service["spec"]["selector"].items() if key != TRACK}
    if track is not None:
        selector[TRACK] = track
    return _with_spec(service, "selector", selector)


def _with_spec(thing: Object, key: str, value: object) -> Object:
    """Return what to apply so that one field of an object's spec, and nothing else, changes."""
    ours = own_part(thing)
    return {**ours, "spec": {**(ours.get("spec") or {}), key: value}}


def _shared_rules(
    route: Object, canaries: Collection[Ref], share: int, testers: Testers | None
) -> list[Object]:
    """Return a route's rules with a share for the canary, those for testers where there is room."""
    if testers is not None:
        rules = _rules_with_testers(route, canaries, share, testers)
        if why_too_many(rules) is None:
            return rules
    return [split(rule, route, canaries, share) for rule in whole(route, canaries)]


def _rules_with_testers(
    route: Object, canaries: Collection[Ref], share: int, testers: Testers
) -> list[Object]:
    return [
        made
        for rule in whole(route, canaries)
        for made in (
            *tester_rules(rule, route, canaries, testers),
            split(rule, route, canaries, share),
        )
    ]
