"""Sending probes until they have passed often enough, or too late."""

from datetime import timedelta

from tasks.core.clock import Clock
from tasks.core.cluster import Cluster
from tasks.core.evidence import evidence_of
from tasks.core.model import Outcome, Verdict
from tasks.core.probes import Probe
from tasks.core.units import format_duration
from tasks.probe.decide import Streak, describe, judge
from tasks.probe.subjects import Probing, Subject, look, subjects_of

__all__ = ["Probing", "probe_release"]

PAUSE = timedelta(milliseconds=250)

_Streaks = dict[tuple[str, int], Streak]


def probe_release(probing: Probing, cluster: Cluster, clock: Clock) -> Verdict:
    """Send an environment's probes to a release, each until it has passed often enough.

    A Job runs once: how it ends is its answer.
    """
    streaks: _Streaks = {}
    while True:
        scene = look(probing, cluster, clock)
        due = [each for each in enumerate(probing.environment.probes) if scene.is_due(each[1])]
        subjects = [subject for each in due for subject in subjects_of(*each, scene)]
        pending = _ask(subjects, streaks)
        asked = {subject.number for subject in subjects}
        unseen = [probe for number, probe in due if number not in asked]
        if not pending and not unseen:
            return Verdict(Outcome.PASSED, f"{len(subjects)} probed, all passed", _said(subjects))
        for subject in pending:
            if subject.probe.job is not None or _is_late(subject.probe, probing, clock):
                return _failed(subject, streaks[_key(subject)], cluster)
        for probe in unseen:
            if _is_late(probe, probing, clock):
                return Verdict(Outcome.FAILED, _nobody(probe))
        clock.wait(PAUSE)


def _ask(subjects: list[Subject], streaks: _Streaks) -> list[Subject]:
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


def _is_late(probe: Probe, probing: Probing, clock: Clock) -> bool:
    return clock.now() >= probing.began + probe.deadline


def _nobody(probe: Probe) -> str:
    """Say why a probe has found nobody to ask."""
    if probe.via == "service":
        return f"{describe(probe)}: no Service leads to a ready pod of component {probe.component}"
    return f"{describe(probe)}: no pod of component {probe.component} is ready"


def _said(subjects: list[Subject]) -> tuple[str, ...]:
    return tuple(
        f"{subject.name}: {describe(subject.probe)} passed {subject.passes} times"
        for subject in subjects
    )


def _failed(subject: Subject, streak: Streak, cluster: Cluster) -> Verdict:
    repeated = "" if subject.probe.job else f" (for {format_duration(subject.probe.deadline)})"
    reason = f"{subject.name}: {describe(subject.probe)}: {streak.last}{repeated}"
    server = subject.server
    shown = evidence_of(cluster, server.pod, server.container) if server else ()
    return Verdict(Outcome.FAILED, reason, shown)
