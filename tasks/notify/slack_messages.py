"""News as Slack shows them: Block Kit, in which nothing that others wrote is more than text.

Limits: 3,000 characters a section, 150 a header, 2,000 a button's value.
Source: docs.slack.dev, Block Kit reference.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from tasks.core.slack import Button
from tasks.notify.model import (
    Commit,
    EnvironmentNews,
    News,
    QuestionNews,
    RunNews,
    StageNews,
    State,
)

__all__ = ["closed", "line", "question", "reply", "root"]

Json = dict[str, Any]

LONGEST_TEXT, LONGEST_HEADER, LONGEST_FALLBACK = 3_000, 150, 300
MOST_SECTIONS = 3
LONGEST_PAGE = 1_000
"""Of findings in a reply; all of them stand with the run."""
MARKS = {
    State.PENDING: "○",
    State.IN_PROGRESS: "▸",
    State.WAITING: "…",
    State.SUCCESS: "✓",
    State.FAILURE: "✗",
    State.ERROR: "✗",
    State.INACTIVE: "○",
}
REST = "… the rest stands with the run"
_MARKUP = re.compile(r"\\(.)|\*\*|`+(?:diff)?|^#+ |^> ", re.MULTILINE)


def root(commit: Commit) -> Json:
    """Return the message that a release's thread begins with."""
    title = f"{commit.application} {commit.name[:12]}: {commit.subject}"
    return _message(title, [_header(title), _context(commit, f"by {commit.author}")])


def reply(news: Sequence[News]) -> Json:
    """Return news as one message of a thread."""
    lines = [line(each) for each in news]
    pages = [_unmarked(each.page) for each in news if each.state is State.FAILURE and each.page]
    text = "\n".join((*lines, *(_cut(page, LONGEST_PAGE) for page in pages)))
    urls = [each.url for each in news if isinstance(each, EnvironmentNews) and each.url]
    return _message(lines[0], [*_sections(text, 1), _context(news[0].commit, *dict.fromkeys(urls))])


def line(news: News) -> str:
    """Say news in a line of plain text."""
    word = news.state.value
    match news:
        case StageNews():
            return f"{MARKS[news.state]} {news.stage}: {news.sentence or word}"
        case RunNews():
            return f"{MARKS[news.state]} {news.environment}: {news.sentence}"
        case EnvironmentNews() | QuestionNews():
            said = f", {news.sentence}" if news.sentence else ""
            about = f"{MARKS[news.state]} {news.environment}: {news.release} {word}{said}"
            return " ".join(about.split())


def question(news: QuestionNews) -> Json:
    """Return what approvers read, with buttons that carry what it is about."""
    title = f"{news.environment}: {news.commit.application} {news.release} waits for a yes"
    blocks = [
        _header(title),
        *(_sections(news.sentence, 1) if news.sentence else ()),
        *_sections(_unmarked(news.page), MOST_SECTIONS),
        _context(news.commit),
        {"type": "actions", "elements": [_button(news, "approve"), _button(news, "reject")]},
    ]
    return _message(title, blocks)


def closed(news: QuestionNews | RunNews) -> Json:
    """Return what is left of a question that nobody can answer any more."""
    release = news.release if isinstance(news, QuestionNews) else ""
    title = f"{news.environment}: {news.commit.application} {release}".strip()
    text = f"{MARKS[news.state]} {news.sentence or news.state.value}"
    return _message(title, [_header(title), *_sections(text, 1), _context(news.commit)])


def _button(news: QuestionNews, choice: str) -> Json:
    asked = Button(
        news.commit.run,
        news.commit.application,
        news.environment,
        news.release,
        news.plan,
        "approve" if choice == "approve" else "reject",
        news.comment,
    )
    made: Json = {
        "type": "button",
        "action_id": f"slipway_{choice}",
        "text": _plain(choice.capitalize()),
        "style": "primary" if choice == "approve" else "danger",
        "value": asked.text(),
    }
    if news.comment:  # the dialogue for it is question enough
        return made
    about = f"{choice.capitalize()} {news.release} for {news.environment}, plan {news.plan}?"
    sure = {"title": _plain("Sure?"), "text": _plain(about[:LONGEST_FALLBACK])}
    return {**made, "confirm": {**sure, "confirm": _plain("Yes"), "deny": _plain("No")}}


def _message(fallback: str, blocks: list[Json]) -> Json:
    return {"text": _escaped(_cut(fallback, LONGEST_FALLBACK)), "blocks": blocks}


def _header(text: str) -> Json:
    return {"type": "header", "text": _plain(_cut(" ".join(text.split()), LONGEST_HEADER))}


def _context(commit: Commit, *words: str) -> Json:
    link = [{"type": "mrkdwn", "text": f"<{_escaped(commit.link)}|run>"}] if commit.link else []
    said: list[Json] = [_plain(_cut(word, LONGEST_FALLBACK)) for word in words if word]
    return {"type": "context", "elements": [*said, *link] or [_plain(commit.run or "Slipway")]}


def _sections(text: str, most: int) -> list[Json]:
    """Cut text into sections between its lines; what does not fit is left out, and that is said."""
    parts = [""]
    for each in _lines(text):
        if len(parts[-1]) + len(each) >= LONGEST_TEXT - len(REST) - 1:
            parts.append("")
        parts[-1] += f"{each}\n"
    kept = [part.rstrip() for part in parts if part.strip()]
    if len(kept) > most:
        kept = [*kept[: most - 1], f"{kept[most - 1]}\n{REST}"]
    return [{"type": "section", "text": _plain(part)} for part in kept]


def _lines(text: str) -> Iterable[str]:
    longest = LONGEST_TEXT // 4
    return (_cut(each, longest) for each in text.strip("\n").splitlines())


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text or " ", "emoji": False}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _escaped(text: str) -> str:
    """docs.slack.dev, Formatting message text: these three are all that has to be."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unmarked(markdown: str) -> str:
    """Return the text of our own markdown; what others wrote in it is escaped there."""
    return re.sub(r"\n{3,}", "\n\n", _MARKUP.sub(lambda found: found[1] or "", markdown)).strip()
