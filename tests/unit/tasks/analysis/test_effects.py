from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.analysis.answers import Point
from tasks.core.cluster import Answer
from tasks.core.model import Outcome
from tasks.core.slos import Custom, Latency, Saturation, Slos
from tests.unit.tasks.analysis.world import (
    CANARY,
    ERRORS,
    STABLE,
    FakePrometheus,
    World,
    minutes_of,
)


def test_a_release_with_a_fifth_of_errors_is_seen_after_a_few_looks_at_its_pods() -> None:
    world = World(bad={CANARY: 4})
    verdict = world.after(4).verdict
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason.startswith(
        "availability: 16 of 80 (20 %) bad on the new release, 0 of 80 (0 %) on the old one"
    )
    assert 'total: requests_total{namespace="shop",pod=~"(?:api-canary)-[a-z0-9]+' in " ".join(
        verdict.evidence
    )


def test_there_is_a_reading_every_second_and_each_brings_what_was_counted_since() -> None:
    world = World(bad={CANARY: 1})
    counted = [
        sorted((sample.track, sample.total, sample.bad) for sample in reading.samples)
        for reading, _ in zip(world.readings(), range(4), strict=False)
    ]
    # a pod's counters begin to count at the first look, a new series of a known pod at 0
    assert counted == [[], *[[("canary", 20.0, 1.0), ("stable", 20.0, 0.0)]] * 3]
    assert set(world.clock.waits) == {timedelta(seconds=1)}


def test_a_good_release_passes_as_soon_as_the_evidence_is_there() -> None:
    world = World()
    readings = [each for each, _ in zip(world.readings(), range(6), strict=False)]
    assert [each.verdict.outcome for each in readings] == [Outcome.NO_DATA] + [Outcome.PASSED] * 5
    assert [each.decided for each in readings] == [False, False, False, True, True, True]


def test_without_any_objective_nothing_speaks_against_a_release() -> None:
    reading = World(slos=Slos()).after(0)
    assert (reading.verdict.outcome, reading.decided) == (Outcome.PASSED, True)


def test_a_counter_that_starts_again_is_counted_from_nothing() -> None:
    world = World()
    readings = world.readings()
    for _ in range(3):
        next(readings)
    world.counted = dict.fromkeys(world.counted, 5)  # 20 more come before the next look
    assert {sample.total for sample in next(readings).samples} == {25.0}


def test_where_pods_show_nothing_prometheus_is_asked_and_a_look_waits_for_both_releases() -> None:
    world = World(annotated=False, bad={CANARY: 4}, prometheus=FakePrometheus())
    assert world.prometheus is not None
    scraped: dict[str, list[Point]] = {STABLE: [], CANARY: []}

    def answer() -> list[Point]:
        """Scrape one pod in a second, the other one in the next."""
        pod = STABLE if len(world.clock.waits) % 2 else CANARY
        scraped[pod] = [point for point in world.points() if point.labels["pod"] == pod]
        return [*scraped[STABLE], *scraped[CANARY]]

    world.prometheus.knows["requests_total"] = answer
    readings = [each for each, _ in zip(world.readings(), range(10), strict=False)]
    assert readings[-1].verdict.outcome is Outcome.FAILED
    assert all(
        {sample.track for sample in each.samples} in (set(), {"canary", "stable"})
        for each in readings
    )


@pytest.mark.parametrize(
    ("annotated", "prometheus", "reason"),
    [
        pytest.param(
            False,
            FakePrometheus(away="Prometheus does not answer: refused"),
            "availability: Prometheus does not answer: refused",
            id="Prometheus is away",
        ),
        pytest.param(
            False,
            None,
            "availability: no Prometheus is named, and no pod shows metrics",
            id="there is nobody to ask",
        ),
    ],
)
def test_what_cannot_be_read_is_unavailable_and_never_failed(
    annotated: bool,  # noqa: FBT001 a case
    prometheus: FakePrometheus | None,
    reason: str,
) -> None:
    world = World(annotated=annotated, prometheus=prometheus, bad={CANARY: 20})
    reading = world.after(60)
    assert (reading.verdict.outcome, reading.verdict.reason) == (Outcome.UNAVAILABLE, reason)


def test_pods_that_fall_silent_are_said_and_counted_on_when_they_speak_again() -> None:
    world = World()
    speak = world.cluster.answer
    readings = world.readings()
    for _ in range(5):
        next(readings)
    world.cluster.answer = lambda thing, path: (
        Answer(None, "no answer within 1 s", 1.0)
        if thing["metadata"]["name"] == CANARY
        else speak(thing, path)
    )
    silent = next(readings)
    assert silent.verdict.outcome is Outcome.UNAVAILABLE
    assert silent.verdict.reason == (
        f"availability: no pod of the new release shows its metrics, {CANARY}:8080/metrics:"
        " no answer within 1 s"
    )
    world.cluster.answer = speak
    back = next(readings)
    assert back.verdict.outcome is Outcome.PASSED
    assert {sample.track: sample.total for sample in back.samples}["canary"] == 40.0


def test_a_pod_whose_metrics_are_garbage_counts_nothing() -> None:
    world = World()
    world.cluster.answer = lambda _thing, _path: Answer(200, 'requests_total{status="5', 0.01)
    assert world.after(5).verdict.outcome is Outcome.UNAVAILABLE


def test_where_nothing_runs_beside_it_the_hour_before_is_asked_for() -> None:
    world = World(share=100, bad={CANARY: 4}, prometheus=FakePrometheus())
    assert world.prometheus is not None
    world.prometheus.past['status=~"5.."'] = minutes_of(world, 2.0, {"status": "500"})
    world.prometheus.past["increase(requests_total"] = minutes_of(world, 1200.0, {"status": "200"})
    verdict = world.after(10).verdict
    assert verdict.outcome is Outcome.FAILED
    assert "on the old one before it" in verdict.reason


def test_without_a_history_a_burning_release_is_held_and_not_taken_back() -> None:
    world = World(share=100, bad={CANARY: 4}, prometheus=FakePrometheus())
    verdict = world.after(10).verdict
    assert verdict.outcome is Outcome.NO_DATA
    assert "nothing to compare it with" in verdict.reason


def test_a_new_process_goes_on_with_the_samples_of_the_one_before() -> None:
    first = World(bad={CANARY: 1})
    samples = tuple(
        sample
        for reading, _ in zip(first.readings(), range(20), strict=False)
        for sample in reading.samples
    )
    second = World(seen=samples)
    moved = replace(samples[-1]).at - second.clock.now()
    second.clock.wait(moved)
    assert second.after(2).verdict.outcome is Outcome.FAILED


def test_latency_is_counted_from_the_buckets_and_compared_edge_by_edge() -> None:
    latency = Latency(95, timedelta(seconds=1), "took_seconds", compare=True)
    world = World(slos=Slos(latency=latency))
    seconds = {CANARY: (2, 20, 20), STABLE: (19, 20, 20)}

    def answer(thing: dict[str, dict[str, str]], _path: str) -> Answer:
        passed = len(world.clock.waits)
        counts = zip(("0.1", "1.0", "+Inf"), seconds[thing["metadata"]["name"]], strict=True)
        lines = [f'took_seconds_bucket{{le="{le}"}} {count * passed}' for le, count in counts]
        return Answer(200, "\n".join(lines) + "\n", 0.01)

    world.cluster.answer = answer
    verdict = world.after(20).verdict
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason.startswith("latency > 0.1s: 360 of 400 (90 %) bad on the new release")


def test_a_number_and_a_ratio_that_only_prometheus_knows_are_asked_for_each_release() -> None:
    orders = Custom(99.0, "sum by (x) (rate(bad[$window]))", "sum by (x) (rate(all[$window]))")
    slos = Slos(saturation=Saturation("max(pool)", 0.8), custom={"orders": orders})
    world = World(slos=slos, prometheus=FakePrometheus())
    assert world.prometheus is not None
    world.prometheus.knows["pool"] = lambda: [Point({}, world.clock.now(), 0.4)]
    world.prometheus.knows["all"] = lambda: [Point({}, world.clock.now(), 100.0)]
    reading = world.after(61)
    assert reading.verdict.outcome is Outcome.PASSED
    asked = " ".join(world.prometheus.asked)
    assert "max(pool{" in asked
    assert 'namespace="shop"' in asked
    assert all(f'pod=~"(?:{name})-[a-z0-9]+' in asked for name in ("api", "api-canary"))


def test_errors_are_known_by_the_users_own_selector() -> None:
    errors = replace(ERRORS, errors='requests_total{status="500",pod!="other"}')
    world = World(slos=Slos(availability=errors), bad={CANARY: 4})
    assert world.after(5).verdict.outcome is Outcome.FAILED
