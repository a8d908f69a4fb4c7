"""Slack hears of a release in one thread, and people are asked in a message that changes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.clock import FakeClock
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.slack import Button, keep_login
from tasks.core.slack_client import Slack
from tasks.notify import slack_messages as messages
from tasks.notify.model import Commit, EnvironmentNews, QuestionNews, RunNews, StageNews, State
from tasks.notify.slack import CHANNEL, SlackHerald, thread_of
from tasks.notify.slack_memory import Kept, Thread, opened
from tests.stand_ins.slack import LIMITED, StandIn, fault_in, says, standing_in

COMMIT = Commit(
    *("shop", "https://github.com/acme/shop.git", "c" * 40, "Sell more", "Dora", "run-1"),
    "http://prefect/runs/run-1",
    ("C1", "C2"),
)
PASSED = StageNews(COMMIT, "test", State.SUCCESS, "api: 9 tests passed")
BEGUN = EnvironmentNews(COMMIT, "prod", "r-1", State.IN_PROGRESS, "rolling out")
DONE = replace(BEGUN, state=State.SUCCESS, sentence="all pods are ready", url="https://shop.x")
ASKS = QuestionNews(COMMIT, "prod", "r-1", "p-1", State.WAITING, "", "## shop\n\n- change: **x**")


@pytest.fixture
def slack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    with standing_in() as made:
        yield made


def herald(slack: StandIn, patience: float = 120) -> SlackHerald:
    return SlackHerald(Slack(slack.login, timedelta(seconds=patience), FakeClock()))


def texts(message: dict[str, Any]) -> str:
    """Return all that people read in a message."""
    shown = [each.get("text", {}).get("text", "") for each in message["blocks"]]
    return "\n".join(filter(None, shown))


def test_a_release_has_one_thread_and_everything_of_it_is_a_reply(slack: StandIn) -> None:
    for news in (PASSED, BEGUN, DONE):
        herald(slack).tell([news])  # each time as a new process
    root, *replies = slack.messages.values()
    assert root["channel"] == "C1"
    assert "shop cccccccccccc: Sell more" in texts(root)
    ts = next(iter(slack.messages))
    assert [each["thread_ts"] for each in replies] == [ts] * 3
    assert [texts(each) for each in replies] == [
        "✓ test: api: 9 tests passed",
        "▸ prod: r-1 in progress, rolling out",
        "✓ prod: r-1 success, all pods are ready",
    ]


def test_the_same_news_is_said_once_whoever_comes_back_with_it(slack: StandIn) -> None:
    herald(slack).tell([PASSED, BEGUN])
    herald(slack).tell([PASSED, BEGUN, DONE])
    assert len(slack.messages) == 3
    assert "test" not in texts(list(slack.messages.values())[-1])


def test_what_is_still_to_come_only_begins_the_thread(slack: StandIn) -> None:
    herald(slack).tell([replace(PASSED, state=State.PENDING)])
    assert slack.methods() == ["chat.postMessage"]


def test_a_rollback_that_knows_no_channel_finds_the_thread(slack: StandIn) -> None:
    herald(slack).tell([DONE])
    elsewhere = replace(COMMIT, run="run-2", rooms=None)
    herald(slack).tell([replace(DONE, commit=elsewhere, state=State.FAILURE, sentence="back")])
    first, *_, last = slack.messages
    assert slack.messages[last]["thread_ts"] == first


def test_where_no_channel_is_known_nothing_is_said(slack: StandIn) -> None:
    herald(slack).tell([replace(DONE, commit=replace(COMMIT, rooms=None))])
    assert slack.calls == []


def test_rate_limits_and_outages_are_survived_as_long_as_slack_asks(slack: StandIn) -> None:
    clock = FakeClock()
    slack.fails(LIMITED, {"status": 503, "answer": {}}, says("internal_error"), None, LIMITED)
    SlackHerald(Slack(slack.login, timedelta(minutes=2), clock)).tell([DONE])
    assert clock.waits == [timedelta(seconds=each) for each in (30, 2, 4, 30)]
    assert len(slack.messages) == 2


def test_patience_ends_and_what_was_not_said_is_said_the_next_time(slack: StandIn) -> None:
    slack.fails(None, LIMITED)
    with pytest.raises(Unavailable, match="ratelimited"):
        herald(slack, patience=0).tell([DONE])
    herald(slack).tell([DONE])
    assert len(slack.messages) == 2, "the thread goes on that was begun"


def test_slack_that_is_not_there_is_unavailable(slack: StandIn) -> None:
    nobody = replace(slack.login, api="http://127.0.0.1:1/api/")
    with pytest.raises(Unavailable):
        SlackHerald(Slack(nobody, timedelta(0), FakeClock())).tell([DONE])


@pytest.mark.parametrize(
    ("error", "advice"),
    [("channel_not_found", "invite the app"), ("token_revoked", "slipway slack login")],
)
def test_what_slack_refuses_is_not_tried_again_and_says_what_to_do(
    slack: StandIn, error: str, advice: str
) -> None:
    slack.fails(says(error))
    with pytest.raises(ConfigError, match=f"{error}.*{advice}"):
        herald(slack).tell([DONE])
    assert len(slack.calls) == 1


def test_people_are_asked_with_buttons_that_carry_exactly_what_it_is_about(slack: StandIn) -> None:
    herald(slack).tell([ASKS])
    (message,) = slack.messages.values()
    assert message["channel"] == "C2"
    assert texts(message) == "prod: shop r-1 waits for a yes\nshop\n\n- change: x"
    values = [each["value"] for each in message["blocks"][-1]["elements"]]
    yes = Button("run-1", "shop", "prod", "r-1", "p-1", "approve")
    assert [Button.read(each) for each in values] == [yes, replace(yes, choice="reject")]


def test_the_question_changes_in_place_until_it_is_over(slack: StandIn) -> None:
    herald(slack).tell([ASKS])
    herald(slack).tell([replace(ASKS, sentence="1 of 2: ana said yes.")])
    (message,) = slack.messages.values()
    assert "1 of 2: ana said yes." in texts(message)
    herald(slack).tell([replace(ASKS, state=State.SUCCESS, sentence="ana, eva said yes", page="")])
    (message,) = slack.messages.values()
    assert texts(message) == "prod: shop r-1\n✓ ana, eva said yes"
    assert not [each for each in message["blocks"] if each["type"] == "actions"]


def test_people_are_called_again_under_what_they_were_asked(slack: StandIn) -> None:
    herald(slack).tell([ASKS])
    (question,) = slack.messages
    again = replace(ASKS, sentence="nobody has answered yet: ana", again=True)
    herald(slack).tell([again])
    called = slack.messages[list(slack.messages)[-1]]
    assert called["thread_ts"] == question
    assert called["reply_broadcast"]
    assert "nobody has answered yet: ana" in called["text"]


def test_a_newer_release_ends_the_question_of_the_older_run(slack: StandIn) -> None:
    herald(slack).tell([ASKS])
    other = replace(COMMIT, run="run-2")
    gone = RunNews(COMMIT, "prod", "superseded")
    herald(slack).tell([gone, replace(ASKS, commit=other)])
    older, newer = slack.messages.values()
    assert texts(older) == "prod: shop\n○ superseded"
    assert "waits for a yes" in texts(newer)


def test_a_question_whose_message_was_deleted_is_asked_anew(slack: StandIn) -> None:
    herald(slack).tell([ASKS])
    slack.fails(says("message_not_found"))
    herald(slack).tell([replace(ASKS, sentence="again")])
    assert len(slack.messages) == 2


def test_the_same_commit_on_fresh_images_is_another_release_with_a_thread_of_its_own() -> None:
    name = COMMIT.name
    old, begun = Thread(name, "1", "r-1"), Thread(name, "2")
    assert thread_of(Kept(), COMMIT, "") == Thread(name, "")
    assert thread_of(Kept(threads=(old,)), COMMIT, "r-1") == old
    assert thread_of(Kept(threads=(old,)), COMMIT, "r-2") == Thread(name, "", "r-2")
    assert thread_of(Kept(threads=(old, begun)), COMMIT, "r-2") == Thread(name, "2", "r-2")
    assert thread_of(Kept(threads=(old,)), COMMIT, "") == old


def test_it_is_heard_where_somebody_logged_in_and_a_channel_may_be_known(slack: StandIn) -> None:
    assert not CHANNEL.hears(COMMIT)
    keep_login(slack.login)
    assert CHANNEL.hears(COMMIT)
    assert CHANNEL.hears(replace(COMMIT, rooms=None))
    assert not CHANNEL.hears(replace(COMMIT, rooms=("", "")))


def test_a_damaged_memory_is_told_and_not_overwritten(slack: StandIn, tmp_path: Path) -> None:
    herald(slack).tell([DONE])
    file = tmp_path / "default" / "slack" / "shop.json"
    file.write_text("{")
    with pytest.raises(ConfigError, match="is damaged"), opened("shop", timedelta(0)):
        pass
    assert file.read_text() == "{"


TEXT = st.text(max_size=200) | st.text(min_size=1, max_size=3).map(lambda text: text * 4000)


@given(TEXT, TEXT, TEXT)
def test_whatever_others_wrote_slack_takes_it_and_nobody_is_called_by_it(
    subject: str, sentence: str, page: str
) -> None:
    commit = replace(COMMIT, subject=subject, author=sentence)
    asks = replace(ASKS, commit=commit, sentence=sentence, page=page)
    failed = StageNews(commit, "scan", State.FAILURE, sentence, page)
    made = (
        messages.root(commit),
        messages.reply([failed, replace(BEGUN, commit=commit, sentence=sentence)]),
        messages.question(asks),
        messages.closed(asks),
    )
    for message in made:
        assert fault_in({"channel": "C1", **message}) is None
        marked = [each for block in message["blocks"] for each in block.get("elements", [])]
        words = [each["text"] for each in marked if each["type"] == "mrkdwn"]
        assert "<" not in message["text"]
        assert words == ["<http://prefect/runs/run-1|run>"]
