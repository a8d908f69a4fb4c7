from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.alerts import QUIET, Alert
from tasks.core.model import Outcome, Release, Verdict
from tasks.core.past import Past
from tasks.core.record import Plan, Record, RolloutState
from tasks.core.sample import Sample
from tasks.core.slos import Availability, Slos
from tasks.core.strategy import RollbackRules
from tasks.core.tracks import Track
from tasks.guard.decide import asked_for, breaches, confirmed, is_back, is_left, judge
from tasks.guard.model import Answer, Case, Evidence, Seen
from tests.unit.tasks.releases import NOON, RECORD, RELEASE

MINUTE = timedelta(minutes=1)
OLD, NEW = "r-old", "r-new"


def release(name: str, irreversible: str | None = None) -> Release:
    return replace(RELEASE, id=name, irreversible=irreversible)


def record(number: int, name: str, started: datetime, **more: object) -> Record:
    plain = replace(
        RECORD,
        number=number,
        release=release(name),
        started_at=started,
        finished_at=started + 5 * MINUTE,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


FIRST = record(1, OLD, NOON - timedelta(days=1))
LIVE = record(2, NEW, NOON)
"""From 12:00 to 12:05."""


def past(
    *newest_first: Record, live: int | None = 2, goal: int | None = 1, **rules: object
) -> Past:
    return Past(
        records=newest_first or (LIVE, FIRST),
        live=live,
        goal=goal,
        bad=(),
        rules=RollbackRules(**rules),  # type: ignore[arg-type]
        approval=None,
        slos=Slos(availability=Availability(99, "errors", "total")),
    )


def alert(minutes: float, *, firing: bool = True, **labels: str) -> Alert:
    """Return an alert that began so many minutes after noon."""
    labels = {"slo": "availability", "severity": "critical", **labels}
    return Alert("SlowBurn", firing, NOON + minutes * MINUTE, labels, "it burns")


def samples(track: Track, bad: float, minutes: float = 0) -> tuple[Sample, ...]:
    at = NOON + minutes * MINUTE
    return (Sample(at, "availability", track, 10, total=200, bad=bad),)


def case(told: Alert, **evidence: object) -> Case:
    known = {"burning_before": False, "fired_before": False, **evidence}
    return Case(told, Evidence(**known))  # type: ignore[arg-type]


def seen(known: Past, *alerts: Alert, after: float = 11, **evidence: object) -> Seen:
    """Return what is seen so many minutes after noon."""
    cases = tuple(case(each, **evidence) for each in breaches(alerts or (alert(10),)))
    return Seen(NOON + after * MINUTE, known, cases)


def seen_under_way(
    *counted: Sample, began: float = 8, told: float = 10, after: float = 11, **more: object
) -> Seen:
    """Return what is seen while rollout 3 brings r-next in."""
    newest = record(3, "r-next", NOON + began * MINUTE, state=RolloutState.STARTED, **more)
    newest = replace(newest, finished_at=None)
    found = seen(past(newest, LIVE, FIRST, goal=1), alert(told), after=after)
    return replace(found, under_way=replace(newest, samples=counted))


BAD_MINUTE = alert(10, severity=QUIET, rollback="true")


def knowing(seen: Seen, **more: object) -> Seen:
    """Return the same with more known of the rollout under way."""
    return replace(seen, past=replace(seen.past, **more))  # type: ignore[arg-type]


ROLL_BACK, PAGE, IGNORE = Answer.ROLL_BACK, Answer.PAGE, Answer.IGNORE
BACK = record(3, OLD, NOON + 12 * MINUTE, restores=1)
"""The rollback of LIVE, from 12:12 to 12:17."""
SUPERSEDED = record(3, "r-next", NOON + 12 * MINUTE, state=RolloutState.SUPERSEDED)
TAKEN_BACK = record(3, "r-next", NOON + 12 * MINUTE, state=RolloutState.RESTORED)


@pytest.mark.parametrize(
    ("what", "answer", "reason"),
    [
        pytest.param(
            seen(past()),
            ROLL_BACK,
            "SlowBurn began 10m after rollout 2: it burns",
            id="a breach after the rollout, within its window",
        ),
        pytest.param(
            seen(past(), alert(2)),
            ROLL_BACK,
            "SlowBurn began 2m after",
            id="one during the rollout",
        ),
        pytest.param(
            seen(past(), burning_before=None, fired_before=None),
            ROLL_BACK,
            "SlowBurn began 10m after",
            id="Prometheus being away protects nobody",
        ),
        pytest.param(
            seen(past(), after=66), PAGE, "rollout 2 is older than 1h", id="outside of the window"
        ),
        pytest.param(
            seen(past(window=timedelta(hours=2)), after=66),
            ROLL_BACK,
            "SlowBurn",
            id="a longer window",
        ),
        pytest.param(
            seen(past(automatic=False)),
            PAGE,
            "slipway.yaml leaves rollbacks here to people",
            id="not by itself",
        ),
        pytest.param(
            seen(past(replace(LIVE, release=release(NEW, "the column is gone")), FIRST)),
            PAGE,
            "there is no way back behind r-new: the column is gone",
            id="irreversible",
        ),
        pytest.param(
            seen(past(), alert(-1)), PAGE, "it burned before rollout 2 began", id="older breach"
        ),
        pytest.param(
            seen(past(), burning_before=True),
            PAGE,
            "it burned before rollout 2 began",
            id="an alert that was pending when the rollout began",
        ),
        pytest.param(
            seen(past(), fired_before=True),
            PAGE,
            "the release before it was just as bad",
            id="the release before fired the same alert",
        ),
        pytest.param(
            seen(past(replace(LIVE, samples=samples("stable", 9) + samples("canary", 8)), FIRST)),
            PAGE,
            "the release before it was just as bad",
            id="the release before was as bad beside it",
        ),
        pytest.param(
            seen(past(replace(LIVE, samples=samples("stable", 1) + samples("canary", 0)), FIRST)),
            ROLL_BACK,
            "SlowBurn",
            id="a few errors within the budget are not as bad",
        ),
        pytest.param(
            seen(past(), dependencies=("mysql", "queue")),
            PAGE,
            "mysql, queue is down",
            id="a dependency is down",
        ),
        pytest.param(
            seen(past(goal=None)), PAGE, "there is no earlier good release", id="nowhere to go"
        ),
        pytest.param(
            seen(past(), bad_before=0.02, bad_since=0.03, fired_before=False),
            PAGE,
            "the release before it was just as bad",
            id="the share of bad events was high before",
        ),
        pytest.param(
            seen(past(), bad_before=0.02, bad_since=0.2, fired_before=True),
            ROLL_BACK,
            "SlowBurn",
            id="numbers go before names: it burned before, but ten times less",
        ),
        pytest.param(
            seen(past(), bad_before=0.004, bad_since=0.005),
            ROLL_BACK,
            "SlowBurn",
            id="the release before kept the objective",
        ),
        pytest.param(
            seen(past(BACK, LIVE, FIRST, live=3), after=18),
            IGNORE,
            "rollout 3 has taken the release back that the alert is about",
            id="the same alert again, after the rollback",
        ),
        pytest.param(
            seen(past(BACK, LIVE, FIRST, live=3), alert(25), after=26),
            IGNORE,
            "rollout 3 has taken the release back",
            id="another alert in the aftermath",
        ),
        pytest.param(
            seen(past(BACK, LIVE, FIRST, live=3), alert(40), after=41),
            PAGE,
            "rollout 3 was a rollback itself; a second one could only go in circles",
            id="what was brought back burns as well",
        ),
        pytest.param(
            seen(past(TAKEN_BACK, LIVE, FIRST), alert(14), after=18),
            IGNORE,
            "rollout 3 has taken the release back",
            id="a rollout that took itself back",
        ),
        pytest.param(
            seen(past(TAKEN_BACK, LIVE, FIRST), alert(30), after=31),
            ROLL_BACK,
            "SlowBurn began 30m after rollout 2",
            id="later the live one is to blame again",
        ),
        pytest.param(
            seen(past(replace(TAKEN_BACK, state=RolloutState.FAILED), LIVE, FIRST), alert(30)),
            PAGE,
            "rollout 3 failed and left the environment half-way",
            id="a restore that failed",
        ),
        pytest.param(
            seen(past(replace(BACK, state=RolloutState.FAILED), LIVE, FIRST), after=18),
            PAGE,
            "rollout 3 failed and left the environment half-way",
            id="a rollback that failed has taken nothing back",
        ),
        pytest.param(
            seen(past(replace(BACK, state=RolloutState.RESTORED), LIVE, FIRST), after=18),
            PAGE,
            "rollout 3 was to take the release back and failed",
            id="a rollback that turned round",
        ),
        pytest.param(
            seen(past(), BAD_MINUTE), ROLL_BACK, "SlowBurn", id="a bad minute after the rollout"
        ),
        pytest.param(seen(past(), over=True), IGNORE, "it is over", id="it has ended meanwhile"),
        pytest.param(
            seen(past(SUPERSEDED, LIVE, FIRST), alert(14), after=18),
            IGNORE,
            "rollout 3 has taken the release back",
            id="a rollout that gave way took its harm with it",
        ),
        pytest.param(
            seen(past(), BAD_MINUTE, after=66),
            IGNORE,
            "rollout 2 is older than 1h",
            id="a bad minute outside of the window wakes nobody up",
        ),
        pytest.param(
            seen(past(), BAD_MINUTE, bad_before=0.001, bad_since=0.2, fired_before=True),
            IGNORE,
            "it comes and goes without a rollout, too",
            id="bad minutes are nothing new here",
        ),
        pytest.param(seen(past(), alert(10, firing=False)), IGNORE, "no alert", id="it is over"),
        pytest.param(seen(past(), alert(10, slo="")), IGNORE, "no alert", id="of no objective"),
        pytest.param(
            seen(past(), alert(10, severity="warning")), IGNORE, "no alert", id="a warning"
        ),
        pytest.param(
            seen(replace(past(), records=(), live=None)), IGNORE, "nothing", id="nothing is live"
        ),
        pytest.param(
            seen(replace(past(), records=(replace(FIRST, state=RolloutState.FAILED),), live=None)),
            PAGE,
            "rollout 1 failed, and there is nothing to go back to",
            id="a first rollout that failed",
        ),
    ],
)
def test_what_an_alert_leads_to(what: Seen, answer: Answer, reason: str) -> None:
    judgement = judge(what)
    assert judgement.answer is answer, judgement.reason
    assert judgement.reason.startswith(reason)


COUNTED = samples("canary", 20, 10.5)
"""What the analysis wrote down half a minute before the guard looks."""


@pytest.mark.parametrize(
    ("what", "answer", "reason"),
    [
        pytest.param(
            seen_under_way(*COUNTED),
            IGNORE,
            "rollout 3 is under way, and its own analysis judges it",
            id="an analysis that counts",
        ),
        pytest.param(
            seen_under_way(*COUNTED, after=13),
            ROLL_BACK,
            "SlowBurn began 2m after rollout 3",
            id="one that has stopped: at a gate, dead, or without data",
        ),
        pytest.param(
            seen_under_way(),
            ROLL_BACK,
            "SlowBurn began 2m after rollout 3",
            id="a rolling update or its bake, which counts nothing",
        ),
        pytest.param(
            knowing(seen_under_way(*COUNTED), promoting=True),
            ROLL_BACK,
            "SlowBurn began 2m after rollout 3",
            id="a promotion, though the bake counted a moment ago",
        ),
        pytest.param(
            knowing(seen_under_way(*COUNTED, after=13), held="no standby pod is ready"),
            PAGE,
            "rollout 3 holds: no standby pod is ready",
            id="one that holds, for it may not be to blame",
        ),
        pytest.param(
            replace(seen_under_way(), cases=(case(BAD_MINUTE),)),
            IGNORE,
            "rollout 3 is under way; when it has ended",
            id="a bad minute, which is judged when the rollout has ended",
        ),
        pytest.param(
            seen_under_way(told=5),
            PAGE,
            "it burned before rollout 3 began",
            id="an alert that is older than the rollout, which may mend it",
        ),
        pytest.param(
            seen_under_way(*samples("stable", 9), *samples("canary", 8)),
            PAGE,
            "the release before it was just as bad",
            id="the stable pods are as bad beside it",
        ),
        pytest.param(
            seen_under_way(after=200),
            ROLL_BACK,
            "SlowBurn",
            id="the window begins when a rollout has ended",
        ),
        pytest.param(
            seen_under_way(release=release("r-next", "the column is gone")),
            PAGE,
            "there is no way back behind r-next",
            id="irreversible",
        ),
        pytest.param(
            seen_under_way(restores=1),
            IGNORE,
            "rollout 3 is taking the release back",
            id="a rollback",
        ),
        pytest.param(
            seen_under_way(restores=1, after=30),
            PAGE,
            "rollout 3 takes the release back and has not ended after 22m",
            id="a rollback that hangs",
        ),
        pytest.param(
            seen(past(replace(FIRST, state=RolloutState.STARTED), live=None, goal=None)),
            PAGE,
            "there is no earlier good release to go back to",
            id="the first rollout of all",
        ),
        pytest.param(
            seen(
                past(
                    record(4, "r-4", NOON + 19 * MINUTE, state=RolloutState.STARTED),
                    TAKEN_BACK,
                    LIVE,
                    FIRST,
                ),
                alert(18),
                after=20,
            ),
            IGNORE,
            "rollout 3 has taken the release back",
            id="the aftermath of the rollout before it",
        ),
    ],
)
def test_what_an_alert_leads_to_while_a_rollout_is_under_way(
    what: Seen, answer: Answer, reason: str
) -> None:
    judgement = judge(what)
    assert judgement.answer is answer, judgement.reason
    assert judgement.reason.startswith(reason)
    if answer is ROLL_BACK:
        assert (judgement.release, judgement.number) == ("r-next", 3)
        assert "a rollback goes to rollout 2" in judgement.evidence


@pytest.mark.parametrize(
    ("began", "answer", "reason"),
    [
        pytest.param((-600, 10), ROLL_BACK, "SlowBurn began 10m after", id="an old and a new one"),
        pytest.param(
            (8, 10), ROLL_BACK, "SlowBurn began 10m after", id="of two new ones the newer"
        ),
        pytest.param((-600, -1), PAGE, "it burned before", id="two old ones"),
    ],
)
def test_each_alert_is_judged_by_itself_and_what_weighs_most_is_done(
    began: tuple[float, ...], answer: Answer, reason: str
) -> None:
    judgement = judge(seen(past(), *(alert(minutes) for minutes in began)))
    assert judgement.answer is answer
    assert judgement.reason.startswith(reason)


def test_what_is_known_about_one_alert_says_nothing_about_another() -> None:
    old, new = case(alert(-600), burning_before=True), case(alert(10))
    assert judge(replace(seen(past()), cases=(new, old))).answer is ROLL_BACK
    assert judge(replace(seen(past()), cases=(old,))).answer is PAGE


@pytest.mark.parametrize(
    ("labels", "may"),
    [
        pytest.param({}, True, id="critical, of an objective"),
        pytest.param({"severity": "warning"}, False, id="a warning"),
        pytest.param({"severity": "warning", "rollback": "true"}, True, id="a warning that may"),
        pytest.param({"rollback": "false"}, False, id="a critical one that may not"),
        pytest.param({"slo": ""}, False, id="of no objective"),
        pytest.param({"slo": "", "rollback": "true"}, False, id="of none, whatever it says"),
    ],
)
def test_which_alerts_may_take_a_release_back(
    labels: dict[str, str],
    may: bool,  # noqa: FBT001
) -> None:
    told = alert(10)
    told = replace(told, labels={**told.labels, **labels})
    assert bool(breaches((told,))) is may


@pytest.mark.parametrize(
    ("ended", "back"),
    [
        pytest.param(BACK, True, id="a rollback"),
        pytest.param(replace(BACK, state=RolloutState.FAILED), False, id="one that failed"),
        pytest.param(replace(BACK, state=RolloutState.RESTORED), False, id="one that turned round"),
        pytest.param(TAKEN_BACK, True, id="a rollout that turned round"),
        pytest.param(LIVE, False, id="one that succeeded"),
        pytest.param(replace(TAKEN_BACK, state=RolloutState.FAILED), False, id="one that stayed"),
    ],
)
def test_what_is_back(ended: Record, back: bool) -> None:  # noqa: FBT001
    assert is_back(ended) is back


@pytest.mark.parametrize(
    ("state", "live", "left"),
    [
        pytest.param(RolloutState.FAILED, 2, True, id="the old release did not come back"),
        pytest.param(RolloutState.FAILED, None, False, id="there was none"),
        pytest.param(RolloutState.RESTORED, 2, False, id="it came back"),
    ],
)
def test_who_is_left_with_a_release_that_failed(
    state: RolloutState,
    live: int | None,
    left: bool,  # noqa: FBT001
) -> None:
    planned = Plan("p-1", "prod", "shop", NEW, live, ())
    assert is_left(replace(LIVE, state=state, plan=planned)) is left


def test_a_person_takes_back_what_is_under_way_or_else_what_is_live() -> None:
    assert asked_for(past(), "it burns").release == NEW
    under_way = replace(TAKEN_BACK, state=RolloutState.STARTED)
    assert asked_for(past(under_way, LIVE, FIRST), "it burns").release == "r-next"


@given(
    st.permutations([BACK, LIVE, FIRST, TAKEN_BACK]),
    st.floats(-100, 100),
    st.floats(-100, 100),
    st.sampled_from([1, 2, 3]),
)
def test_what_a_rollback_brought_back_is_never_rolled_back_by_an_alert(
    records: list[Record], began: float, after: float, live: int
) -> None:
    known = past(*records, live=live)
    judgement = judge(seen(known, alert(began), after=after))
    brought_back = known.record(live)
    if brought_back is not None and brought_back.restores is not None:
        assert judgement.answer is not Answer.ROLL_BACK


def test_the_evidence_names_alert_rollout_window_and_goal() -> None:
    assert judge(seen(past())).evidence == (
        "alert SlowBurn since 2026-01-01 12:10:00 UTC: it burns",
        "live is r-new, rollout 2, commit cccccccccccc by Dora, from 12:00:00 to 12:05:00 UTC",
        "the rollback window ends 2026-01-01 13:05:00 UTC",
        "a rollback goes to rollout 1",
    )
    numbers = judge(seen(past(), bad_before=0.001, bad_since=0.25)).evidence
    assert numbers[-1] == "availability: 25 % bad since it began, 0.1 % as long before"


def test_a_bad_minute_alone_is_not_certain_and_another_alert_makes_it_so() -> None:
    alone = judge(seen(past(), BAD_MINUTE))
    assert (alone.answer, alone.certain) == (ROLL_BACK, False)
    both = judge(seen(past(), BAD_MINUTE, alert(10)))
    assert (both.answer, both.certain) == (ROLL_BACK, True)


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Outcome.FAILED, ROLL_BACK),
        (Outcome.PASSED, IGNORE),
        (Outcome.NO_DATA, IGNORE),
        (Outcome.UNAVAILABLE, IGNORE),
    ],
)
def test_what_is_not_certain_counts_where_its_pods_are_worse_when_they_are_watched(
    outcome: Outcome, answer: Answer
) -> None:
    after = confirmed(judge(seen(past(), BAD_MINUTE)), Verdict(outcome, "so it is", ("seen",)))
    assert after.answer is answer
    assert after.evidence[-2:] == (f"watched after that: {outcome.value}: so it is", "seen")
    assert (after.release, after.number) == (NEW, 2)
