from benchmarks.rollback.harm import Harm
from benchmarks.rollback.summary import Result, Summary, rows, summarise

FAST, SLOW = Harm(3.0, 30, 0, stopped=True), Harm(7.0, 70, 0, stopped=True)
NEVER = Harm(300.0, 3000, 0, stopped=False)


def rounds(side: str, scenario: str, *suffered: Harm | None) -> list[Result]:
    return [Result(side, scenario, harm) for harm in suffered]


def test_each_side_and_scenario_has_its_medians_and_ours_a_ratio_to_the_faster_peer() -> None:
    results = [
        *rounds("slipway", "at-once", SLOW, FAST, FAST),
        *rounds("argo", "at-once", Harm(16.0, 160, 0, stopped=True)),
        *rounds("flagger", "at-once", Harm(12.0, 120, 0, stopped=True)),
    ]
    ours, argo, flagger = summarise(results)
    assert ours == Summary("slipway", "at-once", 3, 3.0, 30, 3, 0.25)
    assert ours.reaches_goal
    assert [(each.seconds, each.ratio) for each in (argo, flagger)] == [(16.0, None), (12.0, None)]


def test_a_peer_that_does_not_take_a_release_back_is_no_measure() -> None:
    results = [*rounds("slipway", "after", FAST), *rounds("argo", "after", NEVER)]
    ours, argo = summarise(results)
    assert (ours.ratio, ours.reaches_goal, argo.taken_back) == (None, True, 0)


def test_a_release_that_is_not_always_taken_back_misses_the_goal() -> None:
    (ours,) = summarise(rounds("slipway", "after", FAST, FAST, NEVER))
    assert (ours.seconds, ours.taken_back, ours.reaches_goal) == (3.0, 2, False)


def test_a_release_that_no_user_met_did_nothing() -> None:
    (ours,) = summarise(rounds("slipway", "at-once", None))
    assert (ours.seconds, ours.bad, ours.taken_back) == (0.0, 0, 1)


def test_the_table_says_whether_the_goal_is_reached() -> None:
    results = [
        *rounds("slipway", "at-once", SLOW),
        *rounds("argo", "at-once", Harm(16.0, 160, 0, stopped=True)),
        *rounds("slipway", "after", FAST),
    ]
    assert [line.split()[2:] for line in rows(summarise(results))][1:] == [
        ["7.0", "70", "1/1", "0.44", "(goal", "0.33:", "missed)"],
        ["16.0", "160", "1/1"],
        ["3.0", "30", "1/1", "no", "peer", "takes", "it", "back", "(goal", "0.33:", "reached)"],
    ]
