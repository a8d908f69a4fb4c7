"""Doing the steps of a rollout, one after the other; every one may be done again."""

import logging
import secrets
from collections.abc import Iterable
from dataclasses import replace

from tasks.core.cluster import ApplyOptions
from tasks.core.model import Outcome, Verdict
from tasks.core.objects import Ref
from tasks.core.record import Moment, RolloutState
from tasks.rollout import marks
from tasks.rollout.await_gone import await_gone, drain
from tasks.rollout.await_ready import await_ready
from tasks.rollout.changing import HPA_MANAGER
from tasks.rollout.model import Progress
from tasks.rollout.put import bring, renew, rest, scale, set_traffic, start_job, wake
from tasks.rollout.running import Rollout
from tasks.rollout.steps import (
    Apply,
    AwaitGone,
    AwaitReady,
    Delete,
    Drain,
    Finish,
    HandOver,
    MakeSecret,
    Mark,
    ProbeRelease,
    Renew,
    Rest,
    Scale,
    SetTraffic,
    StartJob,
    Step,
    Wake,
    WatchShare,
)
from tasks.rollout.watch_share import watch_share

__all__ = ["execute"]

LABELS = {"app.kubernetes.io/managed-by": "slipway", "slipway.dev/generated": "true"}

log = logging.getLogger(__name__)


def execute(steps: Iterable[Step], rollout: Rollout) -> None:
    """Do steps until one fails; the rollout's record says how far it came.

    Raises:
        Conflict: the lock or the record went to another run.
        Unavailable: the cluster does not answer; call again with the same release.
    """
    for step in steps:
        rollout.lock.check()
        if _turn_round(rollout):
            return
        verdict = _do(step, rollout)
        if verdict is not None:
            _note(rollout, verdict)
            if verdict.outcome is not Outcome.PASSED:
                return


def _turn_round(rollout: Rollout) -> bool:
    """Heed another run that asks for this rollout's end; it is asked for once."""
    asked, stored = rollout.asked, rollout.stored
    if asked is None:
        return False
    progress = stored.progress
    if asked.against:
        progress = replace(progress, failed=Verdict(Outcome.FAILED, asked.reason))
    else:
        progress = replace(progress, aside=asked.reason)
    said = Moment(rollout.ports.clock.now(), f"steps aside: {asked.reason}")
    record = replace(stored.record, moments=(*stored.record.moments, said))
    progress = replace(progress, asked_by=asked.run)
    rollout.write(replace(stored, record=record, progress=progress))
    return True


def _do(step: Step, rollout: Rollout) -> Verdict | None:
    """Do one step; a verdict is returned by those that judge, or that were refused."""
    match step:
        case AwaitReady() | ProbeRelease() | WatchShare():
            return _judge(step, rollout)
        case Apply() | Renew() | Scale() | SetTraffic() | StartJob():
            return _write(step, rollout)
        case _:
            _act(step, rollout)
            return None


def _judge(step: AwaitReady | ProbeRelease | WatchShare, rollout: Rollout) -> Verdict | None:
    match step:
        case AwaitReady():
            return await_ready(step, rollout)
        case ProbeRelease():
            return _probe(step, rollout)
        case WatchShare():
            return watch_share(step, rollout)


def _write(step: Apply | Renew | Scale | SetTraffic | StartJob, rollout: Rollout) -> Verdict | None:
    match step:
        case Apply():
            return bring(step, rollout)
        case Scale():
            return scale(step, rollout)
        case Renew():
            return renew(step, rollout)
        case SetTraffic():
            return set_traffic(step, rollout)
        case StartJob():
            return start_job(step, rollout)


def _act(
    step: MakeSecret | HandOver | Mark | Rest | Wake | Drain | AwaitGone | Delete | Finish,
    rollout: Rollout,
) -> None:
    match step:
        case MakeSecret():
            _make_secret(step, rollout)
        case HandOver():
            _hand_over(step, rollout)
        case Mark():
            _mark(step, rollout)
        case Rest():
            rest(step, rollout)
        case Wake():
            wake(step, rollout)
        case Drain():
            drain(step, rollout)
        case AwaitGone():
            await_gone(step, rollout)
        case Delete(ref):
            _delete(ref, rollout)
        case Finish():
            _finish(step, rollout)


def _mark(step: Mark, rollout: Rollout) -> None:
    now, stored = rollout.ports.clock.now(), rollout.stored
    said = (Moment(now, step.moment, step.share),) if step.moment else ()
    record = replace(stored.record, moments=(*stored.record.moments, *said))
    rollout.remember(replace(stored, record=record))
    rollout.reach(step.name)
    if step.moment:
        log.info("%s: %s", rollout.place, step.moment)


def _note(rollout: Rollout, verdict: Verdict) -> None:
    """Put a verdict into the record; a failed one starts, or ends, the way back.

    One that passed is written together with the mark that follows it.
    """
    stored = rollout.stored
    now, outcome = rollout.ports.clock.now(), verdict.outcome
    said = Moment(now, f"{outcome.value}: {verdict.reason}", outcome=outcome)
    record = replace(
        stored.record,
        verdicts=(*stored.record.verdicts, verdict),
        moments=(*stored.record.moments, said),
    )
    if verdict.outcome is Outcome.PASSED:
        rollout.remember(replace(stored, record=record))
        return
    log.warning("%s: %s", rollout.place, verdict.reason)
    progress = stored.progress
    if progress.failed is None and not _is_returning(progress):
        progress = replace(progress, failed=verdict)
    else:
        progress = replace(progress, restore_failed=verdict)
    rollout.write(replace(stored, record=record, progress=progress))


def _is_returning(progress: Progress) -> bool:
    """Say whether one that steps aside is on its way back: what fails now is the old release."""
    way_back = (marks.RESTORED, marks.WOKEN, marks.MADE_AGAIN, marks.RENEWED_BACK, marks.BACK)
    return progress.aside is not None and any(map(progress.has, way_back))


def _make_secret(step: MakeSecret, rollout: Rollout) -> None:
    """Fill in what is missing and never touch what is there."""
    existing = rollout.ports.cluster.read(step.ref)
    present = (existing or {}).get("data") or {}
    values = {key: secrets.token_urlsafe(24) for key in step.keys if key not in present}
    if existing is not None:
        if values:
            rollout.ports.cluster.replace({**existing, "stringData": values})
        return
    metadata = {"name": step.ref.name, "namespace": step.ref.namespace, "labels": LABELS}
    head = {"apiVersion": step.ref.kind.api_version, "kind": step.ref.kind.name}
    rollout.ports.cluster.create({**head, "metadata": metadata, "stringData": values})
    log.info("%s: %s made with keys %s", rollout.place, step.ref, ", ".join(values))


def _hand_over(step: HandOver, rollout: Rollout) -> None:
    """Give the field a second owner, so that it stays when we stop naming it.

    A conflict means that the autoscaler owns it already.
    """
    ref = step.ref
    rollout.ports.cluster.apply(
        {
            "apiVersion": ref.kind.api_version,
            "kind": ref.kind.name,
            "metadata": {"name": ref.name, "namespace": ref.namespace},
            "spec": {"replicas": step.replicas},
        },
        ApplyOptions(manager=HPA_MANAGER),
    )


def _probe(step: ProbeRelease, rollout: Rollout) -> Verdict:
    ports = rollout.ports
    began = ports.clock.now() - rollout.age(step.since)
    return ports.probe(ports.cluster, ports.clock, rollout.place, step, began)


def _delete(ref: Ref, rollout: Rollout) -> None:
    """Delete what is there and carries our labels; what somebody else made stays."""
    thing = rollout.ports.cluster.read(ref)
    labels = (thing or {}).get("metadata", {}).get("labels") or {}
    if (
        labels.get("slipway.dev/application") == rollout.place.application
        and labels.get("slipway.dev/environment") == rollout.place.name
    ):
        rollout.ports.cluster.delete(ref)
        log.info("%s: %s deleted", rollout.place, ref)


def _finish(step: Finish, rollout: Rollout) -> None:
    state = step.state
    stored = rollout.stored
    record = replace(
        stored.record, state=state, reason=step.reason, finished_at=rollout.ports.clock.now()
    )
    said = Moment(rollout.ports.clock.now(), f"{state.value}: {step.reason}")
    record = replace(record, moments=(*record.moments, said))
    progress = stored.progress
    taken_back = state is RolloutState.RESTORED or progress.restore_failed is not None
    # a rollback that fails says nothing against the release that it brings back, nor does it
    # against one that only made room
    blamed = progress.failed is not None and record.restores is None
    bad = stored.bad or (taken_back and blamed)
    rollout.write(replace(stored, record=record, bad=bad))
    log.info(
        "%s: rollout %d (%s) %s: %s",
        rollout.place, record.number, record.release.id, state.value, step.reason,
    )  # fmt: skip
