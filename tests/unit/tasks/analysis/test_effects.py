from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tasks.core.cluster import Answer
from tasks.core.model import Outcome
from tasks.core.objects import Object
from tasks.core.prometheus_answers import Point
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
    shown = " ".join(verdict.evidence)
    assert 'total, canary: requests_total{namespace="shop",pod=~"(?:api-canary)-[a-z0-9]+' in shown
    assert 'total, stable: requests_total{namespace="shop",pod=~"(?:api)-[a-z0-9]+' in shown


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


API, WEB = "api-canary-7c9d8b6f5-fghij", "web-canary-6b8f9d7c5-klmno"
OLD_API, OLD_WEB = "api-5d7f9c6b8-abcde", "web-4d6f8c9b7-pqrst"


def test_two_components_of_one_metric_are_not_added_up() -> None:
    """Both are as they were; the one that fails more often has more of its requests new."""
    world = World(
        names=(API, WEB, OLD_API, OLD_WEB),
        workloads=("api", "web"),
        served={API: 50, OLD_API: 50, WEB: 5, OLD_WEB: 200},
        bad={API: 5, OLD_API: 5},
    )
    readings = [each for each, _ in zip(world.readings(), range(120), strict=False)]
    assert {each.verdict.outcome for each in readings[1:]} == {Outcome.PASSED}
    assert {sample.component for each in readings for sample in each.samples} == {"api", "web"}


def test_a_component_without_much_traffic_waits_for_its_own_events() -> None:
    world = World(
        names=(API, WEB, OLD_API, OLD_WEB),
        workloads=("api", "web"),
        served={API: 50, OLD_API: 50, WEB: 0, OLD_WEB: 1},
    )
    readings = [each for each, _ in zip(world.readings(), range(20), strict=False)]
    looks = [sample.component for each in readings for sample in each.samples]
    assert (looks.count("api"), looks.count("web")) == (2 * 19, 1)


def test_where_nothing_is_asked_of_the_old_release_a_look_does_not_wait_for_it() -> None:
    world = World(share=100, served={STABLE: 0})
    readings = [each for each, _ in zip(world.readings(), range(5), strict=False)]
    assert [sum(each.track == "canary" for each in reading.samples) for reading in readings] == [
        0, 1, 1, 1, 1,
    ]  # fmt: skip


def rolled(**more: object) -> World:
    """A rolling update that is done: the pods of the new release have the workload's own name."""
    fields = {"share": 100, "in_place": True, "names": (NEW,), "prometheus": FakePrometheus()}
    world = World(**{**fields, **more})  # type: ignore[arg-type]
    assert world.prometheus is not None
    world.prometheus.past['status=~"5.."'] = minutes_of(world, 2.0, {"status": "500"}, pod_name=OLD)
    world.prometheus.past["increase(requests_total"] = minutes_of(
        world, 1200.0, {"status": "200"}, pod_name=OLD
    )
    return world


OLD, NEW = "api-5d7f9c6b8-x7vzk", "api-7c9d8b6f5-b2c4d"


def test_a_rolling_update_is_compared_with_the_hour_before_it() -> None:
    verdict = rolled(bad={NEW: 4}).after(10).verdict
    assert verdict.outcome is Outcome.FAILED
    assert "40 of 200 (20 %) bad on the new release" in verdict.reason
    assert "on the old one before it" in verdict.reason
    assert any(line.startswith("total, before: ") for line in verdict.evidence)


def test_a_good_rolling_update_passes() -> None:
    reading = rolled().after(10)
    assert (reading.verdict.outcome, reading.decided) == (Outcome.PASSED, True)


def test_a_rolling_update_that_burns_as_it_did_before_passes() -> None:
    world = rolled(bad={NEW: 4})
    assert world.prometheus is not None
    world.prometheus.past['status=~"5.."'] = minutes_of(
        world, 240.0, {"status": "500"}, pod_name=OLD
    )
    reading = world.after(60)
    assert (reading.verdict.outcome, reading.decided) == (Outcome.PASSED, True)


def test_a_rolling_update_without_a_history_is_held_where_it_burns() -> None:
    verdict = replace(rolled(bad={NEW: 4}), prometheus=FakePrometheus()).after(10).verdict
    assert verdict.outcome is Outcome.NO_DATA


@pytest.mark.parametrize("annotated", [True, False], ids=["on the pods", "by Prometheus"])
def test_what_old_pods_do_on_their_way_out_is_not_the_new_releases(
    annotated: bool,  # noqa: FBT001 a case
) -> None:
    world = rolled(names=(NEW, OLD), bad={OLD: 20}, annotated=annotated)
    leaving = next(each for each in world.cluster.objects.values() if _name(each) == OLD)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert world.prometheus is not None
    world.prometheus.knows["requests_total"] = world.points
    readings = [each for each, _ in zip(world.readings(), range(10), strict=False)]
    assert sum(sample.bad for each in readings for sample in each.samples) == 0
    assert sum(sample.total for each in readings for sample in each.samples) > 0


def _name(thing: Object) -> str:
    return str(thing["metadata"]["name"])


def test_what_is_counted_while_the_pods_that_stand_by_are_ill_is_void() -> None:
    world = World(share=100, prometheus=FakePrometheus())
    assert world.prometheus is not None
    world.prometheus.past['status=~"5.."'] = minutes_of(world, 2.0, {"status": "500"})
    world.prometheus.past["increase(requests_total"] = minutes_of(world, 1200.0, {"status": "200"})
    stable = next(each for each in world.cluster.objects.values() if _name(each) == STABLE)
    readings = world.readings()
    for _ in range(5):
        next(readings)
    well, stable["status"]["conditions"] = stable["status"]["conditions"], []
    world.bad = {CANARY: 10}
    outage = [next(readings) for _ in range(60)]
    assert {each.verdict.outcome for each in outage[1:]} == {Outcome.UNAVAILABLE}
    assert not any(each.samples for each in outage)
    assert outage[-1].verdict.reason == (
        "api: none of the old release's 1 pods that stand by is ready, so what fails now may fail"
        " both releases"
    )
    stable["status"]["conditions"], world.bad = well, {}
    assert next(readings).verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize("hours", [-1, 1], ids=["back", "forward"])
def test_a_jump_of_the_wall_clock_changes_nothing(hours: int) -> None:
    world, still = World(bad={CANARY: 1}), World(bad={CANARY: 1})
    readings, others = world.readings(), still.readings()
    for _ in range(10):
        assert next(readings) == next(others)
    world.clock.jump(timedelta(hours=hours))
    for _ in range(30):
        assert next(readings) == next(others)


def test_a_new_process_after_a_jump_back_goes_on_where_the_one_before_was() -> None:
    first = World(bad={CANARY: 1})
    samples = tuple(
        sample
        for reading, _ in zip(first.readings(), range(20), strict=False)
        for sample in reading.samples
    )
    second = World(seen=samples)
    second.clock.jump(-timedelta(hours=1))
    later = [each for each, _ in zip(second.readings(), range(3), strict=False)]
    assert all(sample.at > samples[-1].at for each in later for sample in each.samples)
    assert later[-1].verdict.outcome is Outcome.FAILED


def test_a_new_process_asks_for_no_window_that_has_been_counted() -> None:
    orders = Custom(99.0, "sum by (x) (rate(bad[$window]))", "sum by (x) (rate(all[$window]))")
    told = FakePrometheus({"all": lambda: [Point({}, World().clock.now(), 100.0)]})
    world = World(slos=Slos(custom={"orders": orders}), prometheus=told)
    first = [each for each, _ in zip(world.readings(), range(32), strict=False)]
    seen = tuple(sample for each in first for sample in each.samples)
    assert [(sample.at - first_instant(world)).seconds for sample in seen] == [30, 30]
    again = replace(world, seen=seen)
    again.clock.wait(timedelta(seconds=40))
    later = [each for each, _ in zip(again.readings(), range(25), strict=False)]
    instants = {sample.at for each in later for sample in each.samples}
    assert {(at - first_instant(world)).seconds for at in instants} == {60}


def first_instant(world: World) -> datetime:
    return world.clock.now() - sum(world.clock.waits, timedelta())
