from dataclasses import replace

from tasks.core.application import Environment
from tasks.core.model import Outcome, Verdict
from tasks.core.record import Change, ChangeKind, Plan, Record, RolloutState
from tasks.core.target import Target
from tasks.rollout.model import Place
from tasks.rollout.render import MOST_DIFF, count_changes, plan_page, record_page
from tests.unit.tasks.releases import RECORD

TARGET = Target("kubeconfig", "lab", "registry", "builder", "docker", ingress="127.0.0.1:15080")
PLACE = Place("shop", "dev", Environment("o", "shop-dev", url="http://dev.localhost"), TARGET)


def planned(*changes: Change, live: int | None = 2) -> Plan:
    return Plan("p-1", "dev", "shop-dev", "r-1", live, changes, ("quota is *tight*",))


def ended(state: RolloutState, *verdicts: Verdict) -> Record:
    return replace(RECORD, environment="dev", state=state, verdicts=verdicts)


def test_a_plan_shows_counts_warnings_and_each_object_that_changes() -> None:
    text = plan_page(
        planned(
            Change(ChangeKind.CREATE, "ConfigMap/a", "+x"),
            Change(ChangeKind.UNCHANGED, "Service/b"),
        )
    )
    assert "**1 new, 1 unchanged**" in text
    assert r"quota is \*tight\*" in text
    assert "- `+` ConfigMap/a" in text
    assert "```diff\n# ConfigMap/a\n+x\n```" in text
    assert "Service/b" not in text


def test_a_plan_without_changes_says_so() -> None:
    assert count_changes(planned(Change(ChangeKind.UNCHANGED, "Service/b"))) == "nothing changes"


def test_a_first_plan_says_so() -> None:
    assert "the first rollout there" in plan_page(planned(live=None))


def test_an_endless_diff_is_cut() -> None:
    text = plan_page(planned(Change(ChangeKind.CREATE, "ConfigMap/a", "+x" * MOST_DIFF)))
    assert "slipway plan dev --release r-1 shows all of it" in text
    assert len(text) < MOST_DIFF + 1000


def test_a_record_shows_who_how_long_and_where_it_is_live() -> None:
    text = record_page(
        ended(RolloutState.SUCCEEDED, Verdict(Outcome.PASSED, "2 probes passed", ("GET / 200",))),
        PLACE,
    )
    assert text.startswith("## ✓ dev: succeeded")
    assert "| approved by | ana, bo |" in text
    assert "| took | 1m15s |" in text
    assert "✓ 2 probes passed\n\n```\nGET / 200\n```" in text
    assert "Live: [http://dev.localhost:15080/]" in text


def test_a_record_of_a_restore_shows_the_verdict_and_no_address() -> None:
    text = record_page(
        ended(RolloutState.RESTORED, Verdict(Outcome.FAILED, "GET /health: got 500")), PLACE
    )
    assert text.startswith("## ↩ dev: restored")
    assert "✗ **GET /health: got 500**" in text
    assert "Live:" not in text
