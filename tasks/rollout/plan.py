"""What a rollout would do, computed by the API server itself and changed by nobody."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from tasks.core.cluster import DRY_RUN, ApplyOptions, FieldConflict, Objects
from tasks.core.errors import ConfigError
from tasks.core.model import Release
from tasks.core.objects import Kind, Object, Ref, container_lists, parse_stream, ref_of
from tasks.core.record import Change, ChangeKind, Plan, Record
from tasks.rollout import records
from tasks.rollout.changing import (
    KEPT_KINDS,
    manifests_of,
    only_hooks,
    refs_of,
    scaled,
    without_hooks,
    without_replicas,
)
from tasks.rollout.compare import comparable, diff_of
from tasks.rollout.model import Place, Stored
from tasks.rollout.observe import leftovers, other_autoscalers, read_all
from tasks.rollout.outlook import Outlook, look_ahead
from tasks.rollout.quota import counted, shortages
from tasks.rollout.room import Room, fetch_room, planned_room

__all__ = ["Look", "Survey", "draw", "lacks", "plan", "survey"]

NAMESPACE = Kind("v1", "Namespace")
SECRET = Kind("v1", "Secret")
WORKERS = 8


@dataclass(frozen=True, slots=True)
class Look:
    """One object: as the release wants it, as it is, and as it would be.

    Attributes:
        after: the API server's answer to a dry run; None where it could not be asked.
        conflicts: fields that others hold.
    """

    wanted: Object = field(repr=False)
    live: Object | None = field(repr=False)
    after: Object | None = field(repr=False)
    conflicts: tuple[FieldConflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything that a plan is drawn from.

    Attributes:
        gone: objects of earlier rollouts that are there and no longer wanted.
        missing_secrets: names of generated Secrets that do not exist yet.
        room: what limits it.
        outlook: how the release would come in.
        is_bad: the release was taken back here.
        scaled: kind and name of the workloads whose replicas an autoscaler sets.
        jobs: those that hooks run, each as the live release has it (None where it has none) and as
            this one does.
    """

    release: Release
    place: Place
    current: Record | None
    looks: tuple[Look, ...]
    gone: tuple[Object, ...]
    missing_secrets: tuple[str, ...]
    room: Room
    outlook: Outlook
    is_bad: bool = False
    scaled: frozenset[tuple[str, str]] = frozenset()
    jobs: tuple[tuple[Object | None, Object], ...] = ()


def plan(release: Release, place: Place, cluster: Objects) -> Plan:
    """Say what rolling a release out would do.

    Raises:
        ConfigError: the cluster refuses a manifest.
        Unavailable: the cluster does not answer.
    """
    return draw(survey(release, place, cluster))


def survey(release: Release, place: Place, cluster: Objects) -> Survey:
    """Ask the cluster about everything that a release touches."""
    everything = parse_stream(release.manifests_for(place.name).yaml)
    wanted = without_hooks(everything, place.rules.hooks)
    if cluster.read(Ref(NAMESPACE, "", place.namespace)) is None:
        looks = tuple(Look(thing, None, None) for thing in wanted)
        secrets = tuple(secret.name for secret in place.environment.secrets)
        outlook, room = look_ahead((), wanted, release, place), planned_room(cluster, wanted)
        jobs = _jobs(everything, place, None)
        return Survey(release, place, None, looks, (), secrets, room, outlook, jobs=jobs)
    stored = records.fetch(cluster, place.namespace)
    live = records.newest_good(stored)
    left = leftovers(stored, live.record if live else None, place)
    by_autoscaler = scaled((*wanted, *other_autoscalers(cluster, place, left)))
    look = partial(_look, cluster, by_autoscaler)
    with ThreadPoolExecutor(WORKERS) as pool:
        looks = tuple(pool.map(look, wanted))
    return Survey(
        release=release,
        place=place,
        current=live.record if live else None,
        looks=looks,
        gone=_gone(cluster, left, release, place),
        missing_secrets=_missing(cluster, place),
        room=fetch_room(cluster, place.namespace, wanted),
        outlook=look_ahead(
            manifests_of(live.record) if live else (),
            wanted,
            release,
            place,
            {ref_of(each.live): each.live for each in looks if each.live is not None},
        ),
        is_bad=release.id in records.bad_releases(stored),
        scaled=by_autoscaler,
        jobs=_jobs(everything, place, live),
    )


def draw(seen: Survey) -> Plan:
    """Put a survey into words that a person can say yes or no to."""
    changes = tuple(_changes(seen))
    return Plan(
        id=_name(seen, changes),
        environment=seen.place.name,
        namespace=seen.place.namespace,
        release=seen.release.id,
        live=seen.current.number if seen.current else None,
        changes=changes,
        warnings=tuple(_warnings(seen)),
        how=seen.outlook.how,
    )


def lacks(seen: Survey) -> tuple[str, ...]:
    """Say which limits of the namespace's quotas the rollout would exceed."""
    secrets = 1 + len(seen.missing_secrets)  # the record is one
    needs = [counted(SECRET)] * secrets + list(seen.outlook.companions())
    for look in seen.looks:
        after = look.after or look.wanted
        needs += seen.outlook.needs(after, look.live, seen.room.limit_ranges)
    return tuple(shortages(seen.room.quotas, needs))


def _look(cluster: Objects, by_autoscaler: frozenset[tuple[str, str]], wanted: Object) -> Look:
    live = cluster.read(ref_of(wanted))
    if live is not None and (wanted["kind"], wanted["metadata"]["name"]) in by_autoscaler:
        wanted = without_replicas(wanted)
    try:
        tried = cluster.apply(wanted, DRY_RUN)
    except ConfigError:
        if wanted["kind"] != "Job" or live is None:
            raise
        return Look(wanted, live, wanted)  # a Job whose pods change is made again
    after = tried.object
    if tried.conflicts:
        after = cluster.apply(wanted, ApplyOptions(dry_run=True, force=True)).object
    return Look(wanted, live, after, tried.conflicts)


def _jobs(
    wanted: tuple[Object, ...], place: Place, live: Stored | None
) -> tuple[tuple[Object | None, Object], ...]:
    before = only_hooks(manifests_of(live.record), live.rules.hooks) if live else ()
    known = {ref_of(thing): thing for thing in before}
    return tuple(
        (known.get(ref_of(thing)), thing) for thing in only_hooks(wanted, place.rules.hooks)
    )


def _gone(
    cluster: Objects, left: frozenset[Ref], release: Release, place: Place
) -> tuple[Object, ...]:
    found = read_all(cluster, sorted(left - refs_of(release, place.name)))
    return tuple(found[ref] for ref in sorted(found))


def _missing(cluster: Objects, place: Place) -> tuple[str, ...]:
    names = [secret.name for secret in place.environment.secrets]
    found = read_all(cluster, [Ref(SECRET, place.namespace, name) for name in names])
    present = {ref.name for ref in found}
    return tuple(name for name in names if name not in present)


def _changes(seen: Survey) -> Iterator[Change]:
    for name in seen.missing_secrets:
        yield Change(ChangeKind.CREATE, f"Secret/{name}", "+ generated, values hidden")
    for look in seen.looks:
        yield _change(look, (look.wanted["kind"], look.wanted["metadata"]["name"]) in seen.scaled)
    for before, job in seen.jobs:
        old = comparable(before, scaled=False) if before else None
        if diff := diff_of(old, comparable(job, scaled=False)):
            kind = ChangeKind.UPDATE if before else ChangeKind.CREATE
            yield Change(kind, f"{ref_of(job)} (run by a hook)", diff)
    for thing in seen.gone:
        if thing["kind"] not in KEPT_KINDS:
            diff = diff_of(comparable(thing, scaled=False), None)
            yield Change(ChangeKind.DELETE, str(ref_of(thing)), diff)


def _change(look: Look, is_scaled: bool) -> Change:  # noqa: FBT001 a fact, not a switch
    name = str(ref_of(look.wanted))
    if look.live is None or look.after is None:
        diff = diff_of(None, comparable(look.wanted, scaled=False))
        return Change(ChangeKind.CREATE, name, diff)
    before = comparable(look.live, scaled=is_scaled)
    diff = diff_of(before, comparable(look.after, scaled=is_scaled))
    return Change(ChangeKind.UPDATE if diff else ChangeKind.UNCHANGED, name, diff)


def _name(seen: Survey, changes: Iterable[Change]) -> str:
    """Name a plan by its content: the same as long as neither release nor cluster change.

    That the namespace is made does not count: a first rollout makes it to be able to begin.
    """
    content = {
        "release": seen.release.id,
        "environment": seen.place.name,
        "live": seen.current.number if seen.current else None,
        "changes": [
            [change.kind, change.object, change.diff]
            for change in changes
            if not change.object.startswith("Namespace/") or change.kind is ChangeKind.UPDATE
        ],
    }
    return f"p-{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]}"


def _warnings(seen: Survey) -> Iterator[str]:
    if seen.current is None:
        yield "first rollout: if it fails there is no earlier release to go back to"
    if seen.is_bad:
        yield f"{seen.release.id} was taken back here before"
    if seen.release.irreversible:
        yield (
            f"irreversible: {seen.release.irreversible}; once it has taken its place nothing is "
            "taken back without a person, who is paged instead"
        )
    yield from seen.outlook.warnings()
    for look in seen.looks:
        for each in look.conflicts:
            yield f"{ref_of(look.wanted)}: {each.field} is held by {each.manager}, not by slipway"
    yield from _drift(seen)
    for thing in seen.gone:
        if thing["kind"] in KEPT_KINDS:
            yield f"{ref_of(thing)} is no longer in the release and is kept: data would be lost"
    yield from lacks(seen)
    yield from filter(None, (_crowding(look, seen) for look in seen.looks))
    yield from sorted(_loose_images(seen))


def _crowding(look: Look, seen: Survey) -> str | None:
    if not seen.room.nodes:
        return None
    return seen.outlook.crowding(look.after or look.wanted, look.live, seen.room.nodes)


def _drift(seen: Survey) -> Iterator[str]:
    """Name what differs from the live release although this release does not change it."""
    if seen.current is None:
        return
    rolled_out = {ref_of(thing): thing for thing in manifests_of(seen.current)}
    for look in seen.looks:
        ref = ref_of(look.wanted)
        former = rolled_out.get(ref)
        if former is None or not _same_wish(former, look.wanted):
            continue
        if look.live is None:
            yield f"{ref} was deleted by somebody since rollout {seen.current.number}"
        elif _change(look, (ref.kind.name, ref.name) in seen.scaled).kind is ChangeKind.UPDATE:
            yield f"{ref} was changed by somebody since rollout {seen.current.number}"


def _same_wish(former: Object, wanted: Object) -> bool:
    return comparable(former, scaled=True) == comparable(wanted, scaled=True)


def _loose_images(seen: Survey) -> Iterator[str]:
    found = {
        container["image"]
        for look in seen.looks
        for containers in container_lists(look.wanted)
        for container in containers
        if "@" not in container.get("image", "@")
    }
    for image in found:
        yield f"image {image} is named by a tag, which may change"
