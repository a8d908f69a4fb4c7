"""Slack as a channel: one thread a release, and questions with buttons."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

from tasks.core.errors import ConfigError
from tasks.core.slack import fetch_login
from tasks.core.slack_client import Slack
from tasks.notify import slack_messages as messages
from tasks.notify.model import (
    Commit,
    EnvironmentNews,
    News,
    QuestionNews,
    RunNews,
    StageNews,
    State,
)
from tasks.notify.ports import Channel, Herald
from tasks.notify.slack_memory import (
    Kept,
    Page,
    Question,
    Thread,
    opened,
    with_question,
    with_thread,
)

__all__ = ["CHANNEL", "SlackHerald", "thread_of"]

TURN = timedelta(minutes=1)
"""For another process that tells of the same application, beside the patience with Slack."""
GONE = ("message_not_found", "cant_update_message", "edit_window_closed")


@dataclass(frozen=True, slots=True)
class SlackHerald:
    """Tells the channels of an application."""

    slack: Slack

    def tell(self, news: Sequence[News]) -> None:
        """Hand news over, the oldest first; what was said already is not said again.

        A process that is killed between Slack's answer and the note of it says one thing twice.

        Raises:
            ConfigError: Slack refuses, or what is kept of it is damaged.
            Unavailable: Slack did not take it within the patience.
        """
        commit = news[0].commit
        with opened(commit.application, self.slack.patience + TURN) as page:
            rooms = commit.rooms or page.kept.rooms
            if not rooms or not rooms[0]:
                return
            page.write(replace(page.kept, rooms=rooms))
            told = [each for each in news if isinstance(each, StageNews | EnvironmentNews)]
            if told:
                self._tell_thread(page, rooms[0], told)
            for each in news:
                if isinstance(each, QuestionNews):
                    self._tell_question(page, rooms[1] or rooms[0], each)
                elif isinstance(each, RunNews):
                    self._close(page, each)

    def _tell_thread(self, page: Page, channel: str, news: Sequence[News]) -> None:
        release = next((each.release for each in news if isinstance(each, EnvironmentNews)), "")
        thread = thread_of(page.kept, news[0].commit, release)
        if not thread.ts:
            posted = self.slack.call(
                "chat.postMessage", channel=channel, **messages.root(news[0].commit)
            )
            thread = replace(thread, ts=str(posted["ts"]))
        page.write(with_thread(page.kept, thread))
        fresh = [each for each in news if _is_fresh(each, thread)]
        if fresh:
            said = {"thread_ts": thread.ts, **messages.reply(fresh)}
            self.slack.call("chat.postMessage", channel=channel, **said)
            thread = replace(thread, said=(*thread.said, *map(_digest, fresh)))
            page.write(with_thread(page.kept, thread))

    def _tell_question(self, page: Page, channel: str, news: QuestionNews) -> None:
        run = news.commit.run
        before = _asked_by(run, page)
        if news.again:
            self._call_again(before, news)
            return
        if news.state is not State.WAITING:
            self._close(page, news)
            return
        shown = messages.question(news)
        if before is None or before.plan != news.plan or not self._change(before, shown):
            posted = self.slack.call("chat.postMessage", channel=channel, **shown)
            before = Question(run, news.plan, str(posted["channel"]), str(posted["ts"]))
        page.write(with_question(page.kept, run, before))

    def _close(self, page: Page, news: QuestionNews | RunNews) -> None:
        run = news.commit.run
        before = _asked_by(run, page)
        if before is not None:
            self._change(before, messages.closed(news))
        page.write(with_question(page.kept, run, None))

    def _call_again(self, question: Question | None, news: QuestionNews) -> None:
        """Call people in a reply to what they were asked, which the whole channel sees."""
        if question is not None:
            place = {"channel": question.channel, "thread_ts": question.ts}
            said = messages.reply([news])
            self.slack.call("chat.postMessage", **place, reply_broadcast=True, **said)

    def _change(self, question: Question, message: messages.Json) -> bool:
        """Change a message in place; say whether it is still there."""
        place = {"channel": question.channel, "ts": question.ts}
        try:
            self.slack.call("chat.update", **place, **message)
        except ConfigError as error:
            if not any(word in error.what for word in GONE):
                raise
            return False
        return True


def _asked_by(run: str, page: Page) -> Question | None:
    return next((each for each in page.kept.questions if each.run == run), None)


def thread_of(kept: Kept, commit: Commit, release: str) -> Thread:
    """Return the thread that news belong in; it has no message yet where none was begun.

    The same commit on fresh base images is another release, with a thread of its own.

    Args:
        kept: what was said.
        commit: that they are about.
        release: id, empty for what comes before there is one.
    """
    same = [each for each in reversed(kept.threads) if each.commit == commit.name]
    if not release:
        return same[0] if same else Thread(commit.name, "")
    exact = [each for each in same if each.release == release]
    begun = [each for each in same if not each.release]
    found = (*exact, *begun, Thread(commit.name, ""))[0]
    return replace(found, release=release)


def hears(commit: Commit) -> bool:
    """Say whether somebody has logged in, and the application may have a channel."""
    if commit.rooms is not None and not commit.rooms[0]:
        return False
    try:
        return fetch_login() is not None
    except ConfigError:
        return True  # it is told where the sending fails


def _is_fresh(news: News, thread: Thread) -> bool:
    """That a stage will come is no news in a chat."""
    pending = isinstance(news, StageNews) and news.state is State.PENDING
    return not pending and _digest(news) not in thread.said


def _digest(news: News) -> str:
    release = news.release if isinstance(news, EnvironmentNews) else ""
    words = [news.commit.run, news.subject, release, news.state.value, news.sentence]
    return sha256(json.dumps(words).encode()).hexdigest()[:16]


@contextmanager
def _connect(patience: timedelta) -> Iterator[Herald]:
    login = fetch_login()
    if login is None:
        raise ConfigError("nobody is logged in", "Slack", "slipway slack login")
    yield SlackHerald(Slack(login, patience))


CHANNEL = Channel("slack", hears, _connect)
