import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.model import Outcome, Verdict
from tasks.core.record import Change, ChangeKind, Plan, Record, RolloutState
from tasks.report import page as pages
from tasks.report.effects import store_report
from tasks.report.page import MOST_LINES
from tests.unit.tasks.report.records import DIFF, RECORD, RELEASE, SLOS, moment, sample, taken_back

ATTACKS = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"><a href='https://evil.example'>approve</a>",
    "</title></svg></pre><iframe src=//evil.example>",
    "{{ 7 * 7 }}{% raw %}",
    "sell \N{RIGHT-TO-LEFT OVERRIDE}dessap\N{NULL}",
)


def report_page(record: Record) -> str:
    return pages.report_page(record, SLOS)


class Outline(HTMLParser):
    """What a browser would make of a page, as far as it matters here."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile(text: str) -> Record:
    """A record in which everything that others can write says this."""
    record = taken_back()
    plan = Plan("p-1", "prod", text, text, 6, (Change(ChangeKind.UPDATE, text, text),), (text,))
    return replace(
        record,
        reason=text,
        actor=text,
        run=text,
        approved_by=(text,),
        release=replace(RELEASE, subject=text, author=text),
        verdicts=(Verdict(Outcome.FAILED, text, (text,)),),
        moments=(moment(1, text, 5, Outcome.FAILED), moment(2, text, 0)),
        samples=(sample(1, "canary", 10, 1, sli=text), sample(2, "stable", 10, 1, sli=text)),
        plan=plan,
    )


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_of_others_stays_text(attack: str) -> None:
    harmless, attacked = (Outline(report_page(hostile(text))) for text in ("harmless", attack))
    assert attacked.tags == harmless.tags
    assert attacked.attributes == harmless.attributes
    assert not {"\N{RIGHT-TO-LEFT OVERRIDE}", "\N{NULL}"} & set(attacked.text)


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_any_text_at_all_adds_nothing_to_a_page_but_text(text: str) -> None:
    known, found = (Outline(report_page(hostile(each))) for each in ("+", text))
    assert set(found.tags) == set(known.tags)
    assert found.attributes == known.attributes


def test_a_page_needs_nothing_from_elsewhere() -> None:
    page = report_page(taken_back())
    found = Outline(page)
    assert not {"script", "link", "img", "iframe", "a", "form"} & set(found.tags)
    assert not {"src", "href", "onclick", "onload"} & found.attributes
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_a_page_is_made_for_light_dark_and_a_phone() -> None:
    page = report_page(taken_back())
    assert "prefers-color-scheme: dark" in page
    assert "width=device-width" in page


def test_a_page_shows_all_that_the_record_knows() -> None:
    text = " ".join(Outline(report_page(taken_back())).text.split())
    for words in (
        "shop → prod",
        "Rollout 7 restored",
        "Sell more by Dora",
        "1m36s",
        "25 % of the traffic",
        "canary: 75 of 412; stable: 5 of 1236",
        "quota cpu: 3.5 of 4 used during the rollout",
        "against rollout 6: 3 of 4 objects",
        "Approvals ana bo",
        "registry/shop-api@sha256:aaaa",
    ):
        assert words in text


def test_verdicts_have_the_same_numbers_in_the_timeline_and_in_every_chart() -> None:
    page = report_page(taken_back())
    assert re.findall(r'<b class="number">(\d)</b>', page) == ["1", "2"]
    assert re.findall(r'class="flag-label [^>]*>(\d)<', page) == ["1", "2"] * 4


def test_what_an_objective_allows_is_a_line_across_its_chart() -> None:
    page = report_page(taken_back())
    assert page.count('class="limit"') == 3
    assert "bad events, 0.5\N{NO-BREAK SPACE}% allowed" in page
    assert "0.8 allowed" in page


def test_counts_without_a_goal_of_their_own_are_numbers_alone() -> None:
    page = report_page(taken_back())
    assert page.count("<figcaption>") == 3
    assert "<bdi>latency &gt; 0.25</bdi>" in page


def test_a_record_without_moments_tells_its_beginning_and_its_end() -> None:
    text = " ".join(Outline(report_page(RECORD)).text.split())
    assert "+0s12:00:00 started" in text
    assert "+1m15s12:01:15 succeeded: ready, 4 probes passed" in text
    assert "Canary against stable" not in text


def test_a_rollout_that_is_not_over_is_shown_as_under_way() -> None:
    record = replace(RECORD, state=RolloutState.STARTED, finished_at=None, reason="")
    assert "under way" in report_page(record)


def test_a_diff_shows_its_lines_by_their_signs_and_ends_somewhere() -> None:
    long = DIFF + "\n+more" * MOST_LINES
    plan = Plan("p-1", "prod", "n", "r-1", None, (Change(ChangeKind.UPDATE, "A/b", long),))
    page = report_page(replace(RECORD, plan=plan))
    assert '<span class="removed">-  image: api@1</span>' in page
    assert '<span class="added">+  image: api@2</span>' in page
    assert f"… {6 + MOST_LINES - MOST_LINES} more lines" in page
    assert "the first rollout here" in page


def test_a_report_is_kept_by_application_environment_and_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    monkeypatch.setenv("SLIPWAY_INSTANCE", "one")
    store_report(replace(RECORD, finished_at=datetime(2026, 1, 2, tzinfo=UTC)), SLOS)
    file = store_report(RECORD, SLOS)
    assert file == tmp_path / "one" / "reports" / "shop" / "prod" / "7.html"
    assert file.read_text() == report_page(RECORD)
