from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.analysis.decide import judge
from tasks.analysis.looks import side_by_side
from tasks.analysis.model import Count, Facts, Indicator, Limit, Objective, Shift
from tasks.core.model import Outcome
from tasks.core.sample import Sample
from tasks.core.slos import Judging
from tasks.core.tracks import Track

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
ERRORS = Indicator("availability", Objective(0.005, timedelta(days=30)), ("errors: a", "total: b"))
SLOW = Indicator("latency, compared", Shift(("latency > 0.1s", "latency > 1s")))
POOL = Indicator("saturation", Limit(0.8))
CALM = tuple(Count(1200, 2) for _ in range(60))


@dataclass(frozen=True)
class Case:
    """So many seconds with so many requests and errors in each, on either release."""

    seconds: int
    share: int
    new: tuple[float, float]
    old: tuple[float, float] = (0, 0)
    component: str = "api"

    def samples(self, sli: str, since: datetime = BEGAN) -> Iterable[Sample]:
        tracks: tuple[tuple[Track, tuple[float, float]], ...] = (
            ("canary", self.new),
            ("stable", self.old),
        )
        for second in range(1, self.seconds + 1):
            for track, (total, bad) in tracks:
                at = since + timedelta(seconds=second)
                yield Sample(at, sli, track, self.share, total, bad, self.component)


def facts(case: Case, indicator: Indicator = ERRORS, *slis: str) -> Facts:
    samples = tuple(sample for sli in slis or (indicator.name,) for sample in case.samples(sli))
    now = BEGAN + timedelta(seconds=case.seconds)
    return Facts((indicator,), Judging(), samples, now, case.share)


@pytest.mark.parametrize(
    ("case", "outcome", "decided"),
    [
        pytest.param(
            Case(3, 50, new=(50, 10), old=(50, 0)),
            Outcome.FAILED,
            True,
            id="it burns and the old one beside it does not",
        ),
        pytest.param(
            Case(60, 50, new=(50, 10), old=(50, 10)),
            Outcome.PASSED,
            True,
            id="it burns and the old one does so too: a dependency, not the release",
        ),
        pytest.param(
            Case(600, 50, new=(500, 2), old=(500, 0.5)),
            Outcome.PASSED,
            True,
            id="it is worse than the old one and still keeps the objective",
        ),
        pytest.param(
            Case(1, 50, new=(100, 20), old=(100, 0)),
            Outcome.PASSED,
            False,
            id="one look is not enough, however bad",
        ),
        pytest.param(
            Case(60, 10, new=(10, 0), old=(90, 0)),
            Outcome.PASSED,
            True,
            id="no error in 600 requests",
        ),
        pytest.param(
            Case(2, 10, new=(10, 0), old=(90, 0)),
            Outcome.PASSED,
            False,
            id="no error in 20 requests says too little yet",
        ),
        pytest.param(
            Case(9, 1, new=(1, 1), old=(99, 0)),
            Outcome.NO_DATA,
            False,
            id="nine requests, and all of them bad",
        ),
        pytest.param(
            Case(60, 10, new=(0, 0), old=(90, 0)), Outcome.NO_DATA, False, id="nobody came"
        ),
    ],
)
def test_a_release_is_taken_back_when_it_burns_and_is_worse(
    case: Case, outcome: Outcome, *, decided: bool
) -> None:
    verdict, complete = judge(facts(case))
    assert (verdict.outcome, complete) == (outcome, decided), verdict


@pytest.mark.parametrize(
    ("baseline", "outcome"),
    [
        pytest.param(CALM, Outcome.FAILED, id="the hour before was calm"),
        pytest.param((), Outcome.NO_DATA, id="of the hour before nothing is known"),
        pytest.param((Count(5, 0),), Outcome.PASSED, id="the hour before says next to nothing"),
        pytest.param(
            (*CALM, Count(1200, 400)), Outcome.PASSED, id="the hour before had a burst like this"
        ),
    ],
)
def test_where_nothing_runs_beside_it_the_hour_before_is_compared(
    baseline: tuple[Count, ...], outcome: Outcome
) -> None:
    alone = facts(Case(10, 100, new=(50, 10)))
    verdict, _ = judge(replace(alone, baselines={"availability": {"api": baseline}}))
    assert verdict.outcome is outcome, verdict


def test_at_the_last_step_the_old_release_of_the_steps_before_is_compared() -> None:
    beside = tuple(Case(60, 50, new=(50, 0), old=(50, 0)).samples("availability"))
    alone = facts(Case(10, 100, new=(100, 20)))
    later = Case(10, 100, new=(100, 20)).samples("availability", BEGAN + timedelta(minutes=2))
    verdict, _ = judge(
        replace(alone, samples=(*beside, *later), now=BEGAN + timedelta(seconds=130))
    )
    assert verdict.outcome is Outcome.FAILED
    assert "0 of 3000 (0 %) on the old one before it" in verdict.reason


@pytest.mark.parametrize(
    ("slower", "outcome"),
    [
        pytest.param((50, 25), Outcome.FAILED, id="half of the requests are slower"),
        pytest.param((50, 4), Outcome.PASSED, id="a shift that is sure and small"),
        pytest.param((50, 1), Outcome.PASSED, id="as before"),
    ],
)
def test_a_distribution_that_is_clearly_worse_fails(
    slower: tuple[float, float], outcome: Outcome
) -> None:
    case = Case(20, 50, new=slower, old=(50, 1))
    unmoved = Case(20, 50, new=(50, 0), old=(50, 0)).samples("latency > 1s")
    seen = facts(case, SLOW, "latency > 0.1s")
    verdict, _ = judge(replace(seen, samples=(*seen.samples, *unmoved)))
    assert verdict.outcome is outcome, verdict


@pytest.mark.parametrize(
    ("case", "decided"),
    [
        pytest.param(Case(1, 50, new=(20, 0), old=(20, 0)), False, id="20 requests"),
        pytest.param(Case(10, 50, new=(20, 0), old=(20, 0)), True, id="200 requests"),
        pytest.param(Case(5, 50, new=(20, 0), old=(20, 0)), True, id="100 that show none slow"),
        pytest.param(Case(5, 50, new=(20, 10), old=(20, 10)), False, id="100 of which half are"),
        pytest.param(Case(30, 50, new=(1, 0.07), old=(1, 0)), False, id="7 points, 30 requests"),
        pytest.param(Case(200, 50, new=(1, 0.07), old=(1, 0)), True, id="7 points, 200 requests"),
    ],
)
def test_a_distribution_passes_when_a_clear_shift_would_have_shown(
    case: Case, *, decided: bool
) -> None:
    verdict, complete = judge(
        facts(case, replace(SLOW, goal=Shift(("latency > 0.1s",))), "latency > 0.1s")
    )
    assert (verdict.outcome, complete) == (Outcome.PASSED, decided), verdict


def test_components_are_compared_each_with_itself() -> None:
    """Two that are both as they were, of which the worse one has more of the canary's requests."""
    api = Case(60, 30, new=(50, 5), old=(50, 5), component="api")
    web = Case(60, 30, new=(5, 0), old=(200, 0), component="web")
    both = tuple(sample for case in (api, web) for sample in case.samples("availability"))
    verdict, decided = judge(replace(facts(api), samples=both, workloads=2))
    assert (verdict.outcome, decided) == (Outcome.PASSED, True), verdict


def test_a_component_that_is_worse_fails_and_is_named() -> None:
    good = Case(10, 50, new=(50, 1), old=(50, 1), component="api")
    bad = Case(10, 50, new=(50, 10), old=(50, 0), component="web")
    both = tuple(sample for case in (good, bad) for sample in case.samples("availability"))
    verdict, _ = judge(replace(facts(good), samples=both, workloads=2))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason.startswith("availability of web: 100 of 500 (20 %) bad on the new")


def test_while_only_testers_come_nothing_is_compared() -> None:
    verdict, decided = judge(facts(Case(60, 0, new=(5, 5), old=(100, 0))))
    assert (verdict.outcome, decided) == (Outcome.PASSED, True)
    assert verdict.reason == (
        "availability: none but testers meet the new release, nothing is compared"
    )


def test_what_testers_met_is_no_evidence_later() -> None:
    testers = tuple(Case(60, 0, new=(5, 5), old=(100, 0)).samples("availability"))
    users = tuple(
        Case(60, 10, new=(10, 0), old=(90, 0)).samples("availability", BEGAN + timedelta(minutes=1))
    )
    now = BEGAN + timedelta(minutes=2)
    seen = Facts((ERRORS,), Judging(), (*testers, *users), now, 10)
    assert judge(seen)[0].outcome is Outcome.PASSED


def test_a_release_as_bad_as_the_one_before_it_passes_where_nothing_runs_beside_it() -> None:
    alone = facts(Case(60, 100, new=(50, 10)))
    before = tuple(Count(3000, 600) for _ in range(60))
    verdict, decided = judge(replace(alone, baselines={"availability": {"api": before}}))
    assert (verdict.outcome, decided) == (Outcome.PASSED, True)


def test_what_fails_while_the_old_pods_that_stand_by_are_ill_too_holds() -> None:
    calm = facts(Case(60, 100, new=(50, 0)))
    verdict, decided = judge(replace(calm, standby=("api: none of 2 pods is ready",)))
    assert (verdict.outcome, decided) == (Outcome.UNAVAILABLE, False)
    assert verdict.reason == "api: none of 2 pods is ready"


def sides(new: float, old: float) -> tuple[tuple[Track, float], tuple[Track, float]]:
    return ("canary", new), ("stable", old)


def readings(number: int, new: float, old: float, share: int = 50) -> Facts:
    """A plain number, read every 15 s."""
    samples = tuple(
        Sample(BEGAN + timedelta(seconds=15 * index), "saturation", track, share, 1, value, "api")
        for index in range(number)
        for track, value in sides(new, old)
    )
    past = {"saturation": {"api": tuple(Count(1, 0.4) for _ in range(60))}}
    now = BEGAN + timedelta(seconds=15 * number)
    return Facts((POOL,), Judging(), samples, now, share, baselines=past)


@pytest.mark.parametrize(
    ("seen", "outcome", "decided"),
    [
        pytest.param(readings(90, 0.95, 0.4), Outcome.FAILED, True, id="only the new one"),
        pytest.param(readings(40, 0.95, 0.4), Outcome.PASSED, False, id="for 10 minutes"),
        pytest.param(readings(90, 0.95, 0.9), Outcome.PASSED, True, id="both"),
        pytest.param(readings(90, 0.5, 0.4), Outcome.PASSED, True, id="neither"),
        pytest.param(readings(2, 0.5, 0.4), Outcome.PASSED, False, id="two looks are too few"),
        pytest.param(readings(3, 0.5, 0.4), Outcome.PASSED, True, id="three are enough"),
        pytest.param(readings(0, 0.5, 0.4), Outcome.NO_DATA, False, id="never seen"),
    ],
)
def test_a_number_over_its_limit_fails_where_the_old_release_stays_under_it(
    seen: Facts, outcome: Outcome, *, decided: bool
) -> None:
    verdict, complete = judge(seen)
    assert (verdict.outcome, complete) == (outcome, decided), verdict


@pytest.mark.parametrize(
    ("was", "outcome", "decided"),
    [
        pytest.param(0.4, Outcome.FAILED, True, id="never over the limit before"),
        pytest.param(0.9, Outcome.PASSED, True, id="always over it before"),
        pytest.param(None, Outcome.NO_DATA, False, id="nothing is known of before"),
    ],
)
def test_a_number_alone_is_compared_with_what_it_was(
    was: float | None, outcome: Outcome, *, decided: bool
) -> None:
    alone = readings(120, 0.95, 0, share=100)
    past = {"api": tuple(Count(1, was) for _ in range(60))} if was is not None else {}
    verdict, complete = judge(replace(alone, baselines={"saturation": past}))
    assert (verdict.outcome, complete) == (outcome, decided), verdict


def test_the_gravest_finding_is_the_verdict_and_all_are_evidence() -> None:
    good, unread = facts(Case(60, 50, new=(50, 0), old=(50, 0))), replace(ERRORS, name="orders")
    both = replace(
        good, indicators=(ERRORS, unread), faults={"orders": "Prometheus does not answer"}
    )
    verdict, decided = judge(both)
    assert (verdict.outcome, decided) == (Outcome.UNAVAILABLE, False)
    assert verdict.reason == "orders: Prometheus does not answer"
    assert [line.split(":")[0] for line in verdict.evidence] == [
        "availability", "errors", "total", "orders", "errors", "total",
    ]  # fmt: skip


def test_a_step_is_not_passed_on_the_evidence_of_the_step_before_it() -> None:
    first = Case(60, 10, new=(10, 0), old=(90, 0))
    second = replace(facts(first), share=50)
    verdict, decided = judge(second)
    assert (verdict.outcome, decided) == (Outcome.NO_DATA, False)
    assert verdict.reason == (
        "availability: 0 events of the new release at 50 % of the traffic, 10 needed"
    )


def test_the_reason_is_one_sentence_with_the_numbers() -> None:
    verdict, _ = judge(facts(Case(3, 50, new=(50, 10), old=(50, 0))))
    assert verdict.reason == (
        "availability: 30 of 150 (20 %) bad on the new release, 0 of 150 (0 %) on the old one"
        " beside it: burn 40.0 over 2s (limit 1.0), worse than the old one with 217,713 to 1"
        " (111 to 1 needed)"
    )


def test_both_tracks_of_one_look_stand_side_by_side() -> None:
    looks = side_by_side(Case(2, 50, new=(5, 1), old=(7, 0)).samples("a"))["a"]["api"]
    assert [(look.canary, look.stable) for look in looks] == [(Count(5, 1), Count(7, 0))] * 2


def test_samples_of_an_older_slipway_stand_side_by_side_without_a_component() -> None:
    old = [replace(sample, component="") for sample in Case(2, 50, (5, 1), (7, 0)).samples("a")]
    new = Case(2, 50, (5, 1), (7, 0)).samples("a", BEGAN + timedelta(minutes=1))
    assert {key: len(looks) for key, looks in side_by_side([*old, *new])["a"].items()} == {
        "": 2, "api": 2,
    }  # fmt: skip
