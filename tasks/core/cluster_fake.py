"""A cluster in memory, with the manners of the real one that callers depend on."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from tasks.core.clock import FakeClock
from tasks.core.cluster import WRITE, Answer, Applied, ApplyOptions, FieldConflict, Scope, Tunnel
from tasks.core.errors import ConfigError, Conflict, Unavailable
from tasks.core.fields_fake import Path, leaves, managed, tree
from tasks.core.objects import Kind, Object, Ref, Resource, ref_of

__all__ = ["FakeCluster", "Killed"]

NAMESPACE = Kind("v1", "Namespace")
CLUSTER_WIDE = frozenset(
    {"ClusterRole", "ClusterRoleBinding", "Namespace", "Node", "PersistentVolume"}
)

V = TypeVar("V")
Controller = Callable[["FakeCluster", Object], None]


class Killed(BaseException):
    """The process ended here: not an error that anybody could handle."""


@dataclass(slots=True)
class FakeCluster:
    """Keeps objects and who owns which of their fields.

    Attributes:
        controllers: called, one change at a time, while somebody watches.
        answer: what a pod or a Service answers to a request.
        run: how a command in a pod ends.
        dial: gives the connection to a port of a pod; none is accepted where absent.
        kill_after: number of writes that still succeed before the process is killed.
        writes: what was done, for tests: `apply Deployment/api`.
        changed: when each field was last changed.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    controllers: list[Controller] = field(default_factory=list)
    answer: Callable[[Object, str], Answer] = lambda _pod, _path: Answer(200, "ok", 0.01)
    run: Callable[[Object, tuple[str, ...]], Answer] = lambda _pod, _words: Answer(0, "", 0.01)
    dial: Callable[[Object, int], Tunnel] | None = None
    kill_after: int | None = None
    said: dict[str, tuple[str, ...]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    objects: dict[Ref, Object] = field(default_factory=dict)
    owners: dict[Ref, dict[str, set[Path]]] = field(default_factory=dict)
    changed: dict[Ref, dict[Path, datetime]] = field(default_factory=dict)
    pending: list[Ref] = field(default_factory=list)
    version: int = 0

    def resource(self, kind: Kind) -> Resource:
        """Return how the cluster calls a kind; it knows every one."""
        return Resource(f"{kind.name.lower()}s", kind.name not in CLUSTER_WIDE)

    def read(self, ref: Ref) -> Object | None:
        """Return an object, None where there is none."""
        self._check_alive()
        thing = self.objects.get(ref)
        return None if thing is None else _copy({**thing, "apiVersion": ref.kind.api_version})

    def find(self, scope: Scope) -> tuple[Object, ...]:
        """Return every object of a scope, sorted by kind and name."""
        self._check_alive()
        found = [ref for ref, thing in self.objects.items() if _matches(scope, ref, thing)]
        return tuple(_copy(self.objects[ref]) for ref in sorted(found))

    def apply(self, thing: Object, options: ApplyOptions = WRITE) -> Applied:
        """Apply an object server-side; a conflict is an answer, not an error."""
        ref = self._placed(thing)
        wished = leaves(_wish(thing))
        owners = {manager: set(paths) for manager, paths in self.owners.get(ref, {}).items()}
        live = leaves(self.objects.get(ref, {}))
        conflicts = tuple(
            FieldConflict("." + ".".join(path), manager)
            for manager, paths in sorted(owners.items())
            for path in sorted(paths)
            if manager != options.manager and path in wished and wished[path] != live.get(path)
        )
        if conflicts and not options.force:
            return Applied(None, conflicts)
        for conflict in conflicts:
            owners[conflict.manager].discard(tuple(conflict.field[1:].split(".")))
        dropped = owners.get(options.manager, set()) - wished.keys()
        owners[options.manager] = set(wished)
        kept = {path for paths in owners.values() for path in paths}
        after = {path: value for path, value in live.items() if path not in dropped or path in kept}
        made = tree({**after, **wished})
        _refuse_other_pods(ref, self.objects.get(ref), made)
        if options.dry_run:
            return Applied(made)
        self._check_alive(f"apply {ref}")
        changed = {path for path, value in wished.items() if live.get(path) != value}
        self._note(ref, changed | (wished.keys() - self.changed.get(ref, {}).keys()))
        self.owners[ref] = owners
        return Applied(self._store(ref, made))

    def create(self, thing: Object) -> Object:
        """Make an object."""
        ref = self._placed(thing)
        self._check_alive(f"create {ref}")
        if ref in self.objects:
            raise Conflict(f"{ref} already exists")
        return self._store(ref, _with_data(thing))

    def replace(self, thing: Object) -> Object:
        """Write an object over the version that it was read in."""
        ref = self._placed(thing)
        self._check_alive(f"replace {ref}")
        live = self.objects.get(ref)
        if live is None or _version(live) != _version(thing):
            raise Conflict(f"{ref} was changed since it was read")
        return self._store(ref, _with_data(thing))

    def delete(self, ref: Ref) -> None:
        """Delete an object and what it owns; nothing happens where there is none."""
        self._check_alive(f"delete {ref}")
        gone = self.objects.pop(ref, None)
        self.owners.pop(ref, None)
        self.changed.pop(ref, None)
        if gone is None:
            return
        self.pending += self._owners_of(gone)  # whose controllers see that something is missing
        for other, thing in list(self.objects.items()):
            owners = thing["metadata"].get("ownerReferences") or ()
            if any(owner["uid"] == gone["metadata"]["uid"] for owner in owners):
                self.delete(other)

    def watch(self, scope: Scope, until: datetime) -> Iterator[tuple[Object, ...]]:
        """Yield the objects of a scope at once and after each change, until an instant."""
        if self.clock.instant >= until:
            return
        yield self.find(scope)
        while self.pending:
            self.settle_one()
            yield self.find(scope)
        self.clock.instant = max(self.clock.instant, until)

    def logs(self, pod: Ref, container: str, lines: int) -> tuple[str, ...]:
        """Return the last lines of a container."""
        return self.said.get(f"{pod.name}/{container}", ())[-lines:]

    def request(
        self, subject: Ref, port: int | str, path: str, within: timedelta, scheme: str = "http"
    ) -> Answer:
        """GET a path of a pod or a Service."""
        del port, within, scheme
        thing = self.objects.get(subject)
        return Answer(None, "not found", 0.0) if thing is None else self.answer(thing, path)

    def execute(
        self, pod: Ref, container: str, command: tuple[str, ...], within: timedelta
    ) -> Answer:
        """Run a command in a container."""
        del container, within
        thing = self.objects.get(pod)
        return Answer(None, "not found", 0.0) if thing is None else self.run(thing, command)

    def open_tunnel(self, pod: Ref, port: int, within: timedelta) -> Tunnel:
        """Connect to a port of a pod."""
        del within
        thing = self.objects.get(pod)
        if thing is None or self.dial is None:
            raise Unavailable("not found", where=str(pod))
        return self.dial(thing, port)

    def settle_one(self) -> None:
        """Let the controllers see one change."""
        thing = self.objects.get(self.pending.pop(0))
        for controller in self.controllers:
            if thing is not None:
                controller(self, _copy(thing))

    def change(self, thing: Object, manager: str) -> None:
        """Write an object as somebody else, a person or a controller, who then owns the change."""
        ref = ref_of(thing)
        before, after = leaves(self.objects.get(ref, {})), leaves(thing)
        changed = {path for path, value in after.items() if before.get(path) != value}
        owners = self.owners.setdefault(ref, {})
        for paths in owners.values():
            paths.difference_update(changed)
        owners.setdefault(manager, set()).update(changed)
        self._note(ref, changed)
        self._store(ref, thing)

    def _note(self, ref: Ref, paths: set[Path]) -> None:
        self.changed.setdefault(ref, {}).update(dict.fromkeys(paths, self.clock.instant))

    def _store(self, ref: Ref, thing: Object) -> Object:
        before = self.objects.get(ref)
        stored = _copy(thing)
        metadata = stored["metadata"]
        old = before["metadata"] if before else {}
        metadata["uid"] = old.get("uid") or f"uid-{ref}-{self.version}"
        changed = before is None or before.get("spec") != stored.get("spec")
        metadata["generation"] = old.get("generation", 0) + int(changed)
        metadata["managedFields"] = managed(self.owners.get(ref, {}), self.changed.get(ref, {}))
        metadata["resourceVersion"] = old.get("resourceVersion")
        if before != stored:
            self.version += 1
            metadata["resourceVersion"] = str(self.version)
            self.objects[ref] = stored
            self.pending.append(ref)
        return _copy(stored)

    def _owners_of(self, thing: Object) -> list[Ref]:
        uids = {owner["uid"] for owner in thing["metadata"].get("ownerReferences") or ()}
        return [ref for ref, each in self.objects.items() if each["metadata"]["uid"] in uids]

    def _placed(self, thing: Object) -> Ref:
        self._check_alive()
        ref = ref_of(thing)
        home = Ref(NAMESPACE, "", ref.namespace)
        if ref.kind.name not in CLUSTER_WIDE and home not in self.objects:
            raise ConfigError(f"namespace {ref.namespace!r} not found", where=str(ref))
        return ref

    def _check_alive(self, write: str = "") -> None:
        if self.kill_after is not None and self.kill_after <= 0:
            raise Killed
        if write:
            self.writes.append(write)
            if self.kill_after is not None:
                self.kill_after -= 1


def _copy(value: V) -> V:
    """Return a value that shares nothing with the original; by JSON, as objects travel."""
    copied: V = json.loads(json.dumps(value))
    return copied


def _refuse_other_pods(ref: Ref, live: Object | None, made: Object) -> None:
    """Refuse another pod template for a Job that is there (batch/v1, it is immutable)."""
    if ref.kind.name == "Job" and live and live["spec"]["template"] != made["spec"]["template"]:
        raise ConfigError("spec.template: field is immutable", where=str(ref))


def _matches(scope: Scope, ref: Ref, thing: Object) -> bool:
    labels = thing["metadata"].get("labels") or {}
    wanted = dict(part.split("=", 1) for part in scope.labels.split(",") if part)
    return (
        ref.kind in scope.kinds
        and ref.namespace == scope.namespace
        and scope.name in ("", ref.name)
        and wanted.items() <= labels.items()
    )


def _wish(thing: Object) -> Object:
    """Return what an apply configuration asks for beyond its own name."""
    metadata = {key: thing["metadata"][key] for key in thing["metadata"] if key != "uid"}
    return {**thing, "metadata": metadata}


def _with_data(thing: Object) -> Object:
    """Turn a Secret's stringData into its data, as the API server does."""
    made = json.loads(json.dumps(thing))
    plain = made.pop("stringData", None) or {}
    if plain:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in plain.items()}
        made["data"] = {**(made.get("data") or {}), **encoded}
    return dict(made)


def _version(thing: Object) -> str | None:
    version = thing["metadata"].get("resourceVersion")
    return None if version is None else str(version)
