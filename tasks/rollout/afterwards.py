"""Judging a release once more after its rollout, where an alert speaks against it."""

from dataclasses import replace
from datetime import timedelta

from tasks.core.model import Outcome, Verdict
from tasks.core.watching import Reading, Watch
from tasks.rollout import marks, records
from tasks.rollout.changing import WATCHED, manifests_of
from tasks.rollout.decide import changed_workloads, known_names
from tasks.rollout.model import Place, Ports, Stored

__all__ = ["judge_live"]

LONGEST = timedelta(minutes=2)
"""Prometheus' own queries are asked every 30 s, and one look alone takes nothing back."""


def judge_live(place: Place, number: int, ports: Ports) -> Verdict:
    """Watch a live release's pods until the evidence is complete, two minutes at most.

    As in the bake of a rolling update its pods are held against those of the release before, in the
    hour before it took their place; only what they do from now on counts.

    Raises:
        Unavailable: the cluster does not answer.
    """
    stored = {each.record.number: each for each in records.fetch(ports.cluster, place.namespace)}
    it = stored.get(number)
    before = records.newest_good(each for each in stored.values() if each.record.number < number)
    if it is None or before is None:
        return Verdict(Outcome.NO_DATA, "there is no release before it to compare it with")
    watch = _watch(place, it, before)
    if not watch.workloads:
        return Verdict(Outcome.NO_DATA, "its pods are those of the release before")
    began = ports.clock.elapsed()
    for reading in ports.judge(ports.cluster, ports.clock, watch):
        if _is_complete(reading) or ports.clock.elapsed() - began >= LONGEST:
            return reading.verdict
    raise RuntimeError("a judge speaks for as long as it is asked")


def _watch(place: Place, it: Stored, before: Stored) -> Watch:
    wanted, former = (
        [thing for thing in manifests_of(each.record) if thing["kind"] in WATCHED]
        for each in (it, before)
    )
    own = it.environment.prometheus if it.environment else None
    return Watch(
        application=place.application,
        environment=place.name,
        namespace=place.namespace,
        target=replace(place.target, prometheus=own or place.target.prometheus),
        slos=it.rules.slos,
        workloads=known_names(changed_workloads(wanted, former), former),
        since=it.progress.marks.get(marks.PROMOTING, it.record.started_at),
        share=100,
        beside=False,
        in_place=True,
    )


def _is_complete(reading: Reading) -> bool:
    return reading.decided and reading.verdict.outcome in {Outcome.PASSED, Outcome.FAILED}
