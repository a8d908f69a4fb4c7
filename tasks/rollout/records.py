"""The history of an environment: one Secret a rollout, in the environment's own namespace."""

import base64
import gzip
from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import isfinite

from pydantic import TypeAdapter

from tasks.core.application import Environment
from tasks.core.cluster import Objects, Scope
from tasks.core.errors import ConfigError, Conflict
from tasks.core.kept import RECORD, RECORD_NAME, RECORD_TYPE
from tasks.core.objects import Kind, Object, Ref
from tasks.core.record import Record, RolloutState
from tasks.core.thin import thin
from tasks.rollout.model import Progress, Rules, Stored

__all__ = [
    "add",
    "bad_releases",
    "decode",
    "encode",
    "fetch",
    "newest_good",
    "newest_usable",
    "prune",
    "unwanted",
    "update",
]

SECRET = Kind("v1", "Secret")
KEPT = 50
LIMIT_BYTES = 1_000_000
"""Kubernetes refuses Secrets over 1 MiB; the rest is for labels and names."""

_RECORD = TypeAdapter(Record)
_PROGRESS = TypeAdapter(Progress)
_ENVIRONMENT = TypeAdapter(Environment | None)
_RULES = TypeAdapter(Rules)


def fetch(cluster: Objects, namespace: str) -> tuple[Stored, ...]:
    """Return every record of an environment, oldest first."""
    found = cluster.find(Scope((SECRET,), namespace, labels=f"{RECORD}=rollout"))
    stored = (decode(secret) for secret in found if secret.get("type") == RECORD_TYPE)
    return tuple(sorted(stored, key=lambda each: each.record.number))


def add(cluster: Objects, draft: Stored) -> Stored:
    """Store a new record under the first free number from its own on."""
    while True:
        try:
            return decode(cluster.create(encode(draft)))
        except Conflict:
            number = draft.record.number + 1
            draft = replace(draft, record=replace(draft.record, number=number))


def update(cluster: Objects, changed: Stored) -> Stored:
    """Write a record over the version that it was read in.

    A conflict with ourselves, where an answer was lost on its way, is none.

    Raises:
        Conflict: another run has written it since.
    """
    wanted = encode(changed)
    try:
        return decode(cluster.replace(wanted))
    except Conflict:
        found = cluster.read(_ref(changed.record))
        if found is None or not _is_written(wanted, found):
            raise
        return decode(found)


def _is_written(wanted: Object, found: Object) -> bool:
    """Say whether a record's Secret holds what we were about to write, under our fence."""
    ours, theirs = wanted["metadata"], found["metadata"]
    return wanted["data"] == found["data"] and all(
        ours[key].items() <= (theirs.get(key) or {}).items() for key in ("labels", "annotations")
    )


def prune(cluster: Objects, stored: Iterable[Stored]) -> None:
    """Delete all but the newest records.

    What is live, what a rollback goes to and what tells of each bad release that it is bad stay.
    """
    newest_first = sorted(stored, key=lambda each: each.record.number, reverse=True)
    live, before, bad = newest_good(newest_first), newest_usable(newest_first), _marks(newest_first)
    kept = {each.record.number for each in (*newest_first[:KEPT], live, before, *bad) if each}
    for each in newest_first:
        if each.record.number not in kept:
            cluster.delete(_ref(each.record))


def newest_good(stored: Iterable[Stored]) -> Stored | None:
    """Return what is live: the newest rollout that succeeded.

    A rollout that was restored or has failed left, or had to leave, the one before it live; a
    rollback is a rollout of its own.
    """
    good = [each for each in stored if each.record.state is RolloutState.SUCCEEDED]
    return max(good, key=lambda each: each.record.number, default=None)


def newest_usable(stored: Iterable[Stored]) -> Stored | None:
    """Return what a rollback goes to: the newest good rollout of another release than the live.

    One whose release was taken back itself is not usable.
    """
    known = tuple(stored)
    live = newest_good(known)
    if live is None:
        return None
    unusable = bad_releases(known) | {live.record.release.id}
    return newest_good(each for each in known if each.record.release.id not in unusable)


def unwanted(stored: Iterable[Stored]) -> str | None:
    """Return the release that a rollback asked for now is against, None where nothing is there.

    That of a rollout under way; while a rollback is under way, that which it takes back.
    """
    known = sorted(stored, key=lambda each: each.record.number)
    newest = known[-1].record if known else None
    if newest and newest.state is RolloutState.STARTED and newest.restores is None:
        return newest.release.id
    live = newest_good(known)
    return live.record.release.id if live else None


def bad_releases(stored: Iterable[Stored]) -> frozenset[str]:
    """Return ids of releases that were taken back and have not succeeded since."""
    bad: set[str] = set()
    for each in sorted(stored, key=lambda each: each.record.number):
        if each.bad:
            bad.add(each.record.release.id)
        elif each.record.state is RolloutState.SUCCEEDED:
            bad.discard(each.record.release.id)
    return frozenset(bad)


def _marks(stored: Iterable[Stored]) -> Iterable[Stored]:
    """Return the newest record that marks each bad release."""
    known = sorted(stored, key=lambda each: each.record.number)
    still = bad_releases(known)
    marks = {each.record.release.id: each for each in known if each.bad}
    return tuple(mark for release, mark in marks.items() if release in still)


def encode(stored: Stored) -> Object:
    """Return the Secret that keeps a record.

    Raises:
        ConfigError: the release is too large for a Secret.
    """
    record = stored.record
    packed = _pack(record)
    metadata: Object = {
        "name": _ref(record).name,
        "namespace": record.namespace,
        "labels": _labels(stored),
        "annotations": {"slipway.dev/fence": str(stored.fence)},
    }
    if stored.version:
        metadata["resourceVersion"] = stored.version
    data = {
        "record": packed,
        "progress": _PROGRESS.dump_json(stored.progress),
        "environment": _ENVIRONMENT.dump_json(stored.environment),
        "rules": _RULES.dump_json(stored.rules),
    }
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.name,
        "metadata": metadata,
        "type": RECORD_TYPE,
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def decode(secret: Object) -> Stored:
    """Read a record back from its Secret."""
    data = {key: base64.b64decode(value) for key, value in secret["data"].items()}
    metadata = secret["metadata"]
    return Stored(
        record=_RECORD.validate_json(gzip.decompress(data["record"])),
        progress=_PROGRESS.validate_json(data["progress"]),
        bad=metadata["labels"].get("slipway.dev/bad") == "true",
        version=metadata["resourceVersion"],
        fence=int(metadata["annotations"]["slipway.dev/fence"]),
        environment=_ENVIRONMENT.validate_json(data.get("environment", b"null")),
        rules=_RULES.validate_json(data.get("rules", b"{}")),
        cleared=metadata["labels"].get("slipway.dev/cleared") == "true",
    )


def _pack(record: Record) -> bytes:
    """Compress a record, without what a rollback can do without where it is too large."""
    size = 0
    for shorter in _ever_shorter(record):
        packed = gzip.compress(_RECORD.dump_json(shorter), mtime=0)
        if len(packed) <= LIMIT_BYTES:
            return packed
        size = len(packed)
    raise ConfigError(
        f"the release's manifests take {size:,} bytes compressed, a record holds {LIMIT_BYTES:,}",
        where=f"{record.environment}/{record.release.application}",
        next_step="move large ConfigMaps out of the manifests, into an image or a volume",
    )


def _ever_shorter(record: Record) -> Iterator[Record]:
    """Yield a record as it is, with ever fewer samples, summed up first, then without diffs.

    A count that is no number goes at once: JSON has no word for it, and could not be read back.
    """
    counted = tuple(each for each in record.samples if isfinite(each.total + each.bad))
    record = replace(record, samples=counted)
    yield record
    while record.samples:
        half = len(record.samples) // 2
        fewer = tuple(thin(record.samples, half))
        if len(fewer) >= len(record.samples):
            fewer = record.samples[half + 1 :]
        record = replace(record, samples=fewer)
        yield record
    if record.plan is not None:
        changes = tuple(replace(change, diff="") for change in record.plan.changes)
        yield replace(record, plan=replace(record.plan, changes=changes))


def _labels(stored: Stored) -> dict[str, str]:
    record = stored.record
    return {
        "app.kubernetes.io/managed-by": "slipway",
        RECORD: "rollout",
        "slipway.dev/application": record.release.application,
        "slipway.dev/environment": record.environment,
        "slipway.dev/release": record.release.id,
        "slipway.dev/state": record.state.value,
        "slipway.dev/bad": str(stored.bad).lower(),
        "slipway.dev/cleared": str(stored.cleared).lower(),
    }


def _ref(record: Record) -> Ref:
    return Ref(SECRET, record.namespace, f"{RECORD_NAME}{record.number}")
