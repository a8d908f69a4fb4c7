"""Rules of an HTTPRoute that share their requests between stable and canary Services."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from tasks.core.objects import Object, Ref
from tasks.core.strategy import Testers
from tasks.core.tracks import canary_name
from tasks.rollout.reach import backend_of

__all__ = ["is_shared", "split", "tester_rules", "whole", "why_not_split", "why_too_many"]

HUNDRED = 100
MOST_WEIGHT = 1_000_000
MOST_BACKENDS = 16
MOST_RULES = 16
MOST_MATCHES = 128
MOST_HEADERS = 16
"""Limits of a route's fields (Gateway API 1.3, HTTPRouteSpec)."""

ANY_PATH: Object = {"path": {"type": "PathPrefix", "value": "/"}}
"""What a rule without matches matches."""


def is_shared(route: Object, canaries: Collection[Ref]) -> bool:
    """Say whether a route sends to a Service that has a canary."""
    return any(
        _canary_of(backend, route, canaries)
        for rule in _rules(route)
        for backend in rule.get("backendRefs") or ()
    )


def split(rule: Object, route: Object, canaries: Collection[Ref], share: int) -> Object:
    """Give each backendRef that has a canary the canary beside it, with a share of its weight.

    All weights of a rule, which has to be a whole one, are multiplied by 100, so that their ratios
    stay what they were when the share, in percent, is taken out of them. A rule that reaches no
    canary stays as it is.
    """
    whole_backends = rule.get("backendRefs") or ()
    if not any(_canary_of(backend, route, canaries) for backend in whole_backends):
        return rule
    backends = []
    for backend in whole_backends:
        weight, canary = _weight(backend), _canary_of(backend, route, canaries)
        if canary is None:
            backends.append({**backend, "weight": weight * HUNDRED})
            continue
        backends.append({**backend, "weight": weight * (HUNDRED - share)})
        backends.append({**backend, "name": canary.name, "weight": weight * share})
    return {**rule, "backendRefs": backends}


def whole(route: Object, canaries: Collection[Ref]) -> Iterator[Object]:
    """Walk over a route's rules as they were before split and tester_rules."""
    for rule in _rules(route):
        backends: list[Object] = []
        for backend in rule.get("backendRefs") or ():
            if backend_of(backend, route) not in canaries:
                backends.append({**backend})
            elif backends:
                backends[-1]["weight"] = _weight(backends[-1]) + _weight(backend)
        if len(backends) == len(rule.get("backendRefs") or ()):
            yield rule
        elif backends:
            yield {**rule, "backendRefs": _reduced(backends)}


def tester_rules(
    rule: Object, route: Object, canaries: Collection[Ref], testers: Testers
) -> Iterator[Object]:
    """Yield the rules that send testers straight to the canaries that a whole rule reaches.

    Header and cookie get a rule each: a filter that replaces a path's prefix allows a rule one
    match only.
    """
    backends = [
        {**backend, "name": canary.name}
        for backend in rule.get("backendRefs") or ()
        if (canary := _canary_of(backend, route, canaries)) and _weight(backend) > 0
    ]
    for header in _headers(testers) if backends else ():
        matches = [
            {**match, "headers": [*(match.get("headers") or ()), header]}
            for match in rule.get("matches") or (ANY_PATH,)
            if not _looks_at(match, header["name"])
        ]
        if matches:
            unnamed = {key: value for key, value in rule.items() if key != "name"}
            yield {**unnamed, "matches": matches, "backendRefs": backends}


def why_not_split(route: Object) -> str | None:
    """Say why the rules of a route, as a release has it, could not be split."""
    for rule in _rules(route):
        backends = rule.get("backendRefs") or ()
        name = f"HTTPRoute/{route['metadata']['name']}"
        if len(backends) * 2 > MOST_BACKENDS:
            return f"{name} has a rule with {len(backends)} backendRefs: no room for as many more"
        if any(_weight(backend) * HUNDRED > MOST_WEIGHT for backend in backends):
            most = MOST_WEIGHT // HUNDRED
            return f"{name} has a weight above {most}: it cannot be shared by the percent"
    return None


def why_too_many(rules: Collection[Object]) -> str | None:
    """Say which limit of a route a list of rules is beyond."""
    matches = [match for rule in rules for match in rule.get("matches") or (ANY_PATH,)]
    headers = max((len(match.get("headers") or ()) for match in matches), default=0)
    counts = {
        "rules": (len(rules), MOST_RULES),
        "matches": (len(matches), MOST_MATCHES),
        "headers in a match": (headers, MOST_HEADERS),
    }
    for what, (count, most) in counts.items():
        if count > most:
            return f"{count} {what} would be needed, {most} are allowed"
    return None


def _rules(route: Object) -> Sequence[Object]:
    return (route.get("spec") or {}).get("rules") or ()


def _weight(backend: Object) -> int:
    weight = backend.get("weight")
    return 1 if weight is None else int(weight)


def _canary_of(backend: Object, route: Object, canaries: Collection[Ref]) -> Ref | None:
    """Return the canary of the Service that a backendRef names, if it has one."""
    service = backend_of(backend, route)
    canary = service and replace(service, name=canary_name(service.name))
    return canary if canary in canaries else None


def _reduced(backends: list[Object]) -> list[Object]:
    """Divide weights by the 100 that they were multiplied by, where nobody changed them since."""
    if any(_weight(backend) % HUNDRED for backend in backends):
        return backends
    return [{**backend, "weight": _weight(backend) // HUNDRED} for backend in backends]


def _headers(testers: Testers) -> Iterator[Object]:
    yield {"type": "Exact", "name": testers.header, "value": "always"}
    if testers.cookie is not None:
        # written so that an engine that searches finds what one that matches the whole does
        value = rf"^(.*;\s*)?{re.escape(testers.cookie)}=always(;.*)?$"
        yield {"type": "RegularExpression", "name": "Cookie", "value": value}


def _looks_at(match: Object, header: str) -> bool:
    """Say whether a match has a condition on a header already: a second one would not count."""
    names = (each["name"].lower() for each in match.get("headers") or ())
    return header.lower() in names
