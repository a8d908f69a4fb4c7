from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.alerts import Alert
from tasks.core.model import Record, Release, RolloutState
from tasks.core.past import Past
from tasks.core.sample import Sample, Track
from tasks.core.slos import Availability, Slos
from tasks.core.strategy import RollbackRules
from tasks.guard.decide import failure_page, judge, page_of
from tasks.guard.model import Answer, Evidence, Seen

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OLD, NEW = "r-old", "r-new"


def release(name: str, irreversible: str | None = None) -> Release:
    return Release(
        id=name,
        application="shop",
        commit="c" * 40,
        author="Ann",
        author_email="ann@example.org",
        subject="Change",
        created_at=NOON,
        images=(),
        manifests=(),
        irreversible=irreversible,
    )


def record(number: int, name: str, started: datetime, **more: object) -> Record:
    plain = Record(
        number=number,
        environment="prod",
        namespace="shop",
        release=release(name),
        state=RolloutState.SUCCEEDED,
        reason="",
        started_at=started,
        finished_at=started + 5 * MINUTE,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


FIRST = record(1, OLD, NOON - timedelta(days=1))
LIVE = record(2, NEW, NOON)
"""From 12:00 to 12:05."""


def past(*newest_first: Record, live: int = 2, goal: int | None = 1, **rules: object) -> Past:
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
    labels = {"slo": "availability", **labels}
    return Alert("SlowBurn", firing, NOON + minutes * MINUTE, labels, "it burns")


def samples(track: Track, bad: float) -> tuple[Sample, ...]:
    return (Sample(NOON, "availability", track, 10, total=200, bad=bad),)


def seen(known: Past, *alerts: Alert, after: float = 11, **evidence: object) -> Seen:
    """Return what is seen so many minutes after noon."""
    told = Evidence(**{"burning_before": False, "fired_before": False, **evidence})  # type: ignore[arg-type]
    return Seen(NOON + after * MINUTE, known, alerts or (alert(10),), told)


ROLL_BACK, PAGE, IGNORE = Answer.ROLL_BACK, Answer.PAGE, Answer.IGNORE
BACK = record(3, OLD, NOON + 12 * MINUTE, restores=1)
"""The rollback of LIVE, from 12:12 to 12:17."""
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
            seen(past(record(3, "r-next", NOON + 9 * MINUTE, state=RolloutState.STARTED), LIVE)),
            IGNORE,
            "rollout 3 is under way and judged by its own analysis",
            id="an active rollout",
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
        pytest.param(seen(past(), alert(10, firing=False)), IGNORE, "no alert", id="it is over"),
        pytest.param(seen(past(), alert(10, slo="")), IGNORE, "no alert", id="of no objective"),
        pytest.param(
            seen(replace(past(), records=(), live=None)), IGNORE, "nothing", id="nothing is live"
        ),
    ],
)
def test_what_an_alert_leads_to(what: Seen, answer: Answer, reason: str) -> None:
    judgement = judge(what)
    assert judgement.answer is answer, judgement.reason
    assert judgement.reason.startswith(reason)


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
        "live is r-new, rollout 2, commit cccccccccccc by Ann, from 12:00:00 to 12:05:00 UTC",
        "the rollback window ends 2026-01-01 13:05:00 UTC",
        "a rollback goes to rollout 1",
    )


def test_pages_say_what_to_do_and_pages_about_one_rollout_are_one_incident() -> None:
    judgement = judge(seen(past(automatic=False)))
    page, failed = page_of("prod/shop", judgement), failure_page("prod/shop", judgement, "no quota")
    assert page.key == failed.key == "slipway/prod/shop/2"
    assert "slipway rollback prod --reason TEXT" in page.details[-1]
    assert "the rollback of r-new failed: no quota" in failed.summary
    assert any("to finish by hand" in line for line in failed.details)
