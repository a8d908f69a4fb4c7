"""Sending probes until they have passed often enough, or too late."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from tasks.core.clock import Clock
from tasks.core.cluster import Cluster
from tasks.core.evidence import evidence_of
from tasks.core.model import Outcome, Verdict
from tasks.core.probes import Probe
from tasks.core.units import format_duration
from tasks.probe.ask import Server
from tasks.probe.decide import Spent, Streak, describe, has_failed, is_late, judge
from tasks.probe.scene import Probing, survey
from tasks.probe.subjects import Subject, Turn, look

__all__ = ["Probing", "probe_release"]

PAUSE = timedelta(milliseconds=250)
SHOWN_PODS = 2
"""Whose last words are kept where a probe names no pod."""

_Streaks = dict[tuple[str, int], Streak]


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a release fails; without a server it may be any pod that the probe reaches."""

    reason: str
    probe: Probe
    server: Server | None = None


def probe_release(probing: Probing, cluster: Cluster, clock: Clock) -> Verdict:
    """Send an environment's probes to a release, each until it has passed often enough.

    A Job runs once: how it ends is its answer. Time counts by a clock that does not jump, but for
    what was spent before this process.

    Raises:
        Unavailable: the cluster does not answer, which says nothing about the release.
    """
    before, began = max(clock.now() - probing.began, timedelta(0)), clock.elapsed()
    streaks: _Streaks = {}
    while True:
        turn = look(probing, cluster, clock)
        pending = _ask(turn.subjects, streaks)
        if not pending and not turn.nobody:
            return _passed(turn)
        here = clock.elapsed() - began
        fault = _fault(turn, pending, streaks, Spent(before + here, here))
        if fault is not None:
            return Verdict(Outcome.FAILED, fault.reason, _evidence(fault, probing, cluster))
        clock.wait(PAUSE)


def _ask(subjects: tuple[Subject, ...], streaks: _Streaks) -> list[Subject]:
    """Ask everybody once who has not passed yet, and return those who still have not.

    Jobs come last, alone: the others are not kept waiting by them.
    """
    quick = [subject for subject in subjects if subject.probe.job is None]
    for group in (quick, [subject for subject in subjects if subject.probe.job is not None]):
        for subject in group:
            streak = streaks.get(_key(subject), Streak())
            if streak.passes < subject.passes:
                streaks[_key(subject)] = streak.after(judge(subject.probe, subject.ask()))
        pending = [each for each in group if streaks[_key(each)].passes < each.passes]
        if pending:
            return pending
    return []


def _key(subject: Subject) -> tuple[str, int]:
    return subject.name, subject.number


def _fault(turn: Turn, pending: list[Subject], streaks: _Streaks, spent: Spent) -> _Fault | None:
    """Return the first reason by now for which the release fails."""
    for subject in pending:
        streak = streaks[_key(subject)]
        if has_failed(subject.probe, streak, spent):
            lasts = format_duration(subject.probe.deadline)
            repeated = "" if subject.probe.job else f" (for {lasts})"
            reason = f"{subject.name}: {describe(subject.probe)}: {streak.last}{repeated}"
            return _Fault(reason, subject.probe, subject.server)
    late = (probe for probe in turn.nobody if is_late(probe, spent))
    return next((_Fault(_nobody(probe), probe) for probe in late), None)


def _nobody(probe: Probe) -> str:
    """Say why a probe has found nobody to ask."""
    if probe.way == "service" and probe.job is None:
        return f"{describe(probe)}: no Service leads to a ready pod of component {probe.component}"
    return f"{describe(probe)}: no pod of component {probe.component} is ready"


def _passed(turn: Turn) -> Verdict:
    said = tuple(
        f"{subject.name}: {describe(subject.probe)} passed {subject.passes} times"
        for subject in turn.subjects
    )
    asked = f"{len(said)} probed, all passed" if said else "nobody probed"
    return Verdict(Outcome.PASSED, "; ".join((asked, *turn.left_out)), said)


def _evidence(fault: _Fault, probing: Probing, cluster: Cluster) -> tuple[str, ...]:
    """Return what the pods show that were asked, or that are behind a Service or the route.

    Raises:
        Unavailable: the cluster is away, and may have been so when the pods were asked.
    """
    scene = survey(probing, cluster)
    behind = islice(scene.behind(fault.probe), SHOWN_PODS)
    servers = (fault.server,) if fault.server else tuple(behind)
    return tuple(
        line for each in servers for line in evidence_of(cluster, each.pod, each.container)
    )
