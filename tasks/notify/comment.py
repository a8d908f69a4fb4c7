"""The one comment on a pull request: written anew from what it says already and the news.

Nothing is kept elsewhere: rows and sections stand between hidden marks, so a process that knows
nothing can go on with them. What others wrote is escaped by the template engine unless a page has
done so before, and cannot hold a mark.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.core.markdown import inline, plain
from tasks.notify.model import (
    RELEASE,
    Commit,
    EnvironmentNews,
    News,
    StageNews,
    State,
)

__all__ = ["belongs", "is_ours", "write"]

LONGEST = 60_000
"""Characters; GitHub refuses more than 65536."""
TOO_LONG = Markup("_Too long to be shown here: see the run._")
MARKS = {
    State.PENDING: "…",
    State.IN_PROGRESS: "…",
    State.WAITING: "✋",
    State.SUCCESS: "✓",
    State.FAILURE: "✗",
    State.ERROR: "✗",
    State.INACTIVE: "○",
}
_HEAD = re.compile(r"<!-- slipway (?P<application>\S+) (?P<commit>\S+) (?P<run>\S+) -->")
_ROW = re.compile(r"^\| .* <!-- slipway:row (\S+) --> \|$", re.MULTILINE)
_SECTION = re.compile(
    r"^<!-- slipway:begin (.+?) -->\n(.*?)\n<!-- slipway:end -->$", re.MULTILINE | re.DOTALL
)


@dataclass(slots=True)
class _Content:
    """What a comment says, as markdown: a row a stage, and sections."""

    rows: dict[str, str] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)


def belongs(news: News) -> bool:
    """Say whether news stand in the comment: plans, findings, and what did not pass.

    What passes has its status, and GitHub takes no more than 500 changes an hour.
    """
    if isinstance(news, EnvironmentNews):
        return True
    if not isinstance(news, StageNews):
        return False
    is_good = news.state is State.SUCCESS and news.stage != RELEASE
    return not news.state.is_open and (not is_good or bool(news.page))


def is_ours(body: str, application: str) -> bool:
    """Say whether a comment's body is one of ours about an application."""
    found = _HEAD.match(body)
    return found is not None and found["application"] == application


def write(news: Sequence[News], before: str = "") -> str:
    """Return the comment's body.

    Args:
        news: the oldest first, all about one commit.
        before: what it says now; another commit's content is dropped, and so is another run's as
            soon as stages are told.
    """
    commit = news[0].commit
    content = _read(before.replace("\r\n", "\n"), news)  # as GitHub's own editor leaves it
    for each in news:
        if isinstance(each, StageNews):
            content.rows[each.stage] = _render(
                "row", news=each, mark=MARKS[each.state], key=_mark(f"row {each.stage}")
            )
            _put(content, f"findings {each.stage}", _page("findings", each) if each.page else "")
        elif isinstance(each, EnvironmentNews):
            text = _render("environment", news=each, mark=MARKS[each.state])
            _put(content, f"environment {each.environment}", text)
            if each.page:
                _put(content, f"plan {each.environment}", _page("plan", each))
    return _fitting(commit, content)


def _read(body: str, news: Sequence[News]) -> _Content:
    found, commit = _HEAD.match(body), news[0].commit
    another_run = found is None or found["run"] != _word(commit.run)
    begins_anew = another_run and any(isinstance(each, StageNews) for each in news)
    if found is None or found["commit"] != commit.name or begins_anew:
        return _Content()
    rows = {row[1]: row[0] for row in _ROW.finditer(body)}
    return _Content(rows, dict(_SECTION.findall(body)))


def _put(content: _Content, key: str, text: str) -> None:
    if text:
        content.sections[key] = text
    else:
        content.sections.pop(key, None)


def _page(template: str, news: StageNews | EnvironmentNews) -> str:
    return _render(template, news=news, page=Markup(news.page.replace("<!--", "<!\u200b--")))  # noqa: S704 a page is markdown already


def _fitting(commit: Commit, content: _Content) -> str:
    """Put a comment together; the longest sections give way to a sentence until it fits."""
    while len(body := _whole(commit, content)) > LONGEST and content.sections:
        longest = max(content.sections, key=lambda key: len(content.sections[key]))
        if content.sections[longest] == TOO_LONG:
            return body[:LONGEST]
        content.sections[longest] = TOO_LONG
    return body


def _whole(commit: Commit, content: _Content) -> str:
    head = f"slipway {_word(commit.application)} {_word(commit.name)} {_word(commit.run)}"
    sections = [
        Markup(f"{_mark(f'begin {key}')}\n{text}\n{_mark('end')}")  # noqa: S704 rendered before
        for key, text in content.sections.items()
    ]
    rows = [Markup(row) for row in content.rows.values()]  # noqa: S704 rendered before
    return _render(
        "comment",
        head=Markup("<!-- {} -->").format(head),
        commit=commit,
        rows=rows,
        sections=sections,
    )


def _mark(what: str) -> Markup:
    return Markup("<!-- slipway:{} -->").format(what)


def _word(text: str) -> str:
    return re.sub(r"[^\w.-]", "", text) or "-"


def _shown(value: object) -> Markup:
    """Escape what is not markdown yet; it calls nobody by name."""
    if isinstance(value, Markup):
        return value
    return Markup(plain(str(value)).replace("@", "@\u200b"))  # noqa: S704 escaped for markdown


def _code(text: str) -> Markup:
    return Markup(inline(text))  # noqa: S704 code shows everything as it is


def _address(url: str) -> Markup:
    return Markup(quote(url, safe=":/?#[]@!$&'*+,;=%-._~"))  # noqa: S704 nothing is left in it


def _render(template: str, **values: object) -> str:
    return _TEMPLATES.get_template(f"{template}.md.j2").render(**values).strip()


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_shown,
)
_TEMPLATES.filters |= {"code": _code, "address": _address}
