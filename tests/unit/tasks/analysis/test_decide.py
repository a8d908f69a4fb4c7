from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.analysis.decide import judge, looks_of
from tasks.analysis.model import Count, Facts, Indicator, Limit, Objective, Shift
from tasks.core.model import Outcome
from tasks.core.sample import Sample, Track
from tasks.core.slos import Judging

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

    def samples(self, sli: str, since: datetime = BEGAN) -> Iterable[Sample]:
        tracks: tuple[tuple[Track, tuple[float, float]], ...] = (
            ("canary", self.new),
            ("stable", self.old),
        )
        for second in range(1, self.seconds + 1):
            for track, (total, bad) in tracks:
                at = since + timedelta(seconds=second)
                yield Sample(at, sli, track, self.share, total, bad)


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
    verdict, _ = judge(replace(alone, baselines={"availability": baseline}))
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
    ("case", "outcome"),
    [
        pytest.param(Case(30, 50, new=(1, 0.95), old=(1, 0.4)), Outcome.FAILED, id="only the new"),
        pytest.param(Case(30, 50, new=(1, 0.95), old=(1, 0.9)), Outcome.PASSED, id="both"),
        pytest.param(Case(30, 50, new=(1, 0.5), old=(1, 0.4)), Outcome.PASSED, id="neither"),
        pytest.param(Case(3, 50, new=(1, 0.95), old=(1, 0.4)), Outcome.PASSED, id="for 3 looks"),
        pytest.param(Case(0, 50, new=(1, 0), old=(1, 0)), Outcome.NO_DATA, id="never seen"),
    ],
)
def test_a_number_over_its_limit_fails_where_the_old_release_stays_under_it(
    case: Case, outcome: Outcome
) -> None:
    verdict, _ = judge(facts(case, POOL))
    assert verdict.outcome is outcome, verdict


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
    looks = looks_of(Case(2, 50, new=(5, 1), old=(7, 0)).samples("a"), "a")
    assert [(look.canary, look.stable) for look in looks] == [(Count(5, 1), Count(7, 0))] * 2
