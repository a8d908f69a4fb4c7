"""One rollout at a time in an environment: a Lease with a holder and a fencing number."""

import contextlib
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta

from tasks.core.clock import Clock
from tasks.core.cluster import Cluster, Scope
from tasks.core.errors import Conflict, GateClosed, SlipwayError, Unavailable
from tasks.core.kept import LOCK
from tasks.core.objects import Kind, Object, Ref

__all__ = ["EXPIRY", "Aside", "Lock", "ask", "hold"]

LEASE = Kind("coordination.k8s.io/v1", "Lease")
EXPIRY = timedelta(seconds=30)
RENEW_EVERY = timedelta(seconds=10)
PATIENCE = timedelta(hours=6)
"""How long to wait for another rollout that lives before giving up: bakes may be long."""

ASIDE = "slipway.dev/aside"
TRIES = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Aside:
    """What a run that waits asks of the one that holds the lock.

    Attributes:
        run: who asks.
        reason: stands in the history.
        against: id of the release that is not wanted any more; where empty, another one wants
            the place of whatever comes in, but for one of a newer commit.
        committed_at: when the commit of that other one was made, ISO 8601; empty in a rollback.
    """

    run: str
    reason: str
    against: str = ""
    committed_at: str = ""

    def is_older(self, than: datetime) -> bool:
        """Say whether what wants the place is of an older commit than one of that time."""
        return bool(self.committed_at) and datetime.fromisoformat(self.committed_at) < than


@dataclass(slots=True)
class Lock:
    """A lock that is held; number grows with each holder.

    Attributes:
        renewed_at: by the clock's own time, which does not jump.
        asked: what another run wants of us.
    """

    cluster: Cluster
    clock: Clock
    ref: Ref
    holder: str
    number: int
    renewed_at: timedelta
    lost: bool = False
    asked: Aside | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """Return while the lock is ours, as the cluster has it; called before every act.

        Raises:
            Conflict: another run has taken it over, or the same one in another process.
        """
        if not self.lost:
            is_due = self.clock.elapsed() - self.renewed_at >= RENEW_EVERY
            self.renew() if is_due else self._look()
        if self.lost:
            raise Conflict(
                "another run has taken this rollout over",
                where=f"{self.ref.namespace}/{self.ref}",
                next_step="follow the other run, or run this one again when it has ended",
            )

    def renew(self) -> None:
        """Say that the holder lives, or find out that the lock is lost."""
        with self._guard:
            now = self.clock.elapsed()
            self.lost = not self._rewrite({"renewTime": _written(self.clock.now())})
            if not self.lost:
                self.renewed_at = now

    def release(self) -> None:
        """Let the next one in without waiting."""
        with self._guard:
            self._rewrite({"holderIdentity": "", "leaseDurationSeconds": 1})

    def _look(self) -> Object | None:
        """Read the lease, and what others ask of us; nothing where it is not ours any more."""
        lease = self.cluster.read(self.ref)
        if lease is None or _holding(lease) != (self.holder, self.number):
            self.lost = True
            return None
        self.asked = _asked(lease)
        return lease

    def _rewrite(self, changes: Object) -> bool:
        """Change the lease while it is ours; those who ask us for something write to it too."""
        for _ in range(TRIES):
            lease = self._look()
            if lease is None:
                return False
            lease["spec"] |= changes
            with contextlib.suppress(Conflict):
                self.cluster.replace(lease)
                return True
        return False


@contextlib.contextmanager
def hold(
    cluster: Cluster, clock: Clock, namespace: str, holder: str, aside: Aside | None = None
) -> Iterator[Lock]:
    """Take the environment's lock, keep it alive in the background, and give it back.

    Args:
        cluster: where the lock is.
        clock: for its expiry.
        namespace: of the environment.
        holder: our run.
        aside: what we ask of the run that holds it meanwhile.

    Raises:
        GateClosed: another run held it all the time that we were ready to wait.
    """
    lock = _take(cluster, clock, Ref(LEASE, namespace, LOCK), holder, aside)
    stopped = threading.Event()
    thread = threading.Thread(target=_keep, args=(lock, stopped), daemon=True)
    thread.start()
    try:
        yield lock
    finally:
        stopped.set()
        thread.join()
        with contextlib.suppress(SlipwayError):
            lock.release()


def _keep(lock: Lock, stopped: threading.Event) -> None:
    while not stopped.wait(RENEW_EVERY.total_seconds()) and not lock.lost:
        try:
            lock.renew()
        except Unavailable as error:
            log.warning("%s: not renewed: %s", lock.ref, error)


def ask(cluster: Cluster, lease: Object, aside: Aside) -> None:
    """Write on a lease what we want of its holder; whoever was faster is asked next time.

    What a newer release asks for stands.
    """
    metadata = lease["metadata"]
    annotations = metadata.get("annotations") or {}
    said = json.dumps(asdict(aside), sort_keys=True)
    if annotations.get(ASIDE) != said and not _outranked(aside, _asked(lease)):
        with contextlib.suppress(Conflict):
            marked = {**metadata, "annotations": {**annotations, ASIDE: said}}
            cluster.replace({**lease, "metadata": marked})


def _outranked(aside: Aside, before: Aside | None) -> bool:
    """Say whether a newer release has asked for the same place before."""
    if before is None or not before.committed_at:
        return False
    return aside.is_older(datetime.fromisoformat(before.committed_at))


def _asked(lease: Object) -> Aside | None:
    said = (lease["metadata"].get("annotations") or {}).get(ASIDE)
    if not said:
        return None
    known = {each.name for each in fields(Aside)}
    return Aside(**{key: value for key, value in json.loads(said).items() if key in known})


def _take(cluster: Cluster, clock: Clock, ref: Ref, holder: str, aside: Aside | None) -> Lock:
    """Wait until the lock is free, ours already, or its holder has been silent for too long."""
    give_up, told = clock.elapsed() + PATIENCE, ""
    while True:
        lease = cluster.read(ref)
        if lease is None or _holding(lease)[0] in ("", holder):
            with contextlib.suppress(Conflict):  # somebody was faster: look again
                return _write(cluster, clock, ref, holder, lease)
            continue
        if clock.elapsed() >= give_up:
            raise _closed(ref, _holding(lease)[0])
        if _holding(lease)[0] != told:
            told = _holding(lease)[0]
            log.info("%s/%s: waits for run %s, which is rolling out", ref.namespace, ref, told)
        if aside is not None:
            ask(cluster, lease, aside)
        if _is_silent(cluster, clock, ref, lease):
            log.warning("%s/%s: taken over from %s", ref.namespace, ref, _holding(lease)[0])
            with contextlib.suppress(Conflict):
                return _write(cluster, clock, ref, holder, lease)


def _is_silent(cluster: Cluster, clock: Clock, ref: Ref, lease: Object) -> bool:
    """Watch the lease for as long as it lasts by our own clock: clocks of two machines differ."""
    scope = Scope((LEASE,), ref.namespace, name=ref.name)
    lasts = timedelta(seconds=lease["spec"].get("leaseDurationSeconds", EXPIRY.total_seconds()))
    for leases in cluster.watch(scope, clock.now() + lasts):
        if not leases or leases[0]["spec"] != lease["spec"]:
            return False
    return True


def _write(cluster: Cluster, clock: Clock, ref: Ref, holder: str, lease: Object | None) -> Lock:
    now = clock.now()
    number = _holding(lease)[1] + 1 if lease else 1
    spec = {
        "holderIdentity": holder,
        "leaseDurationSeconds": int(EXPIRY.total_seconds()),
        "leaseTransitions": number,
        "acquireTime": _written(now),
        "renewTime": _written(now),
    }
    if lease is None:
        names = {"name": ref.name, "namespace": ref.namespace, "labels": _LABELS}
        head = {"apiVersion": LEASE.api_version, "kind": LEASE.name, "metadata": names}
        cluster.create({**head, "spec": spec})
    else:
        metadata = lease["metadata"]
        kept = metadata.get("annotations") or {}
        annotations = {key: value for key, value in kept.items() if key != ASIDE}
        cluster.replace(
            {**lease, "metadata": {**metadata, "annotations": annotations}, "spec": spec}
        )
    return Lock(cluster, clock, ref, holder, number, clock.elapsed())


_LABELS = {"app.kubernetes.io/managed-by": "slipway"}


def _holding(lease: Object) -> tuple[str, int]:
    spec = lease["spec"]
    return spec.get("holderIdentity") or "", spec.get("leaseTransitions") or 0


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _closed(ref: Ref, holder: str) -> GateClosed:
    return GateClosed(
        f"run {holder} is rolling out here and has not ended",
        where=f"{ref.namespace}/{ref}",
        next_step=f"wait for it, or look at it with `slipway logs {holder}`",
    )
