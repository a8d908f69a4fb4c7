"""What stands in the comment on a pull request, whatever others have written."""

import re

import pytest

from tasks.core.markdown import fenced
from tasks.notify.comment import belongs, is_ours, write
from tasks.notify.model import Commit, EnvironmentNews, News, StageNews, State

ONE, TWO = "1" * 40, "2" * 40
EVIL = "</table> @team [x](http://evil.example) | ✓ <!-- slipway:end --> `code` **bold**"


def commit(name: str = ONE, run: str = "run-1", subject: str = "Sell more") -> Commit:
    return Commit("shop", "https://github.com/acme/shop", name, subject, "Dora", run, "http://p/1")


def stage(about: Commit, name: str, sentence: str, page: str = "") -> StageNews:
    return StageNews(about, name, State.FAILURE, sentence, page)


def prod(about: Commit, state: State, page: str = "", sentence: str = "ready") -> EnvironmentNews:
    return EnvironmentNews(about, "prod", "r-1", state, sentence, "https://shop.example/", page)


def test_a_comment_reads_like_this() -> None:
    about = commit()
    body = write(
        (stage(about, "scan", "1 critical", "- api: 1 critical"), prod(about, State.WAITING))
    )
    assert re.sub(r"<!-- slipway.*? -->\n?", "", body) == (
        "### Slipway: shop at `111111111111`\n"
        "\n"
        "**Sell more** by Dora · [run](http://p/1)\n"
        "\n"
        "| | stage | |\n"
        "| --- | --- | --- |\n"
        "| ✗ | scan | 1 critical  |\n"
        "\n"
        "<details><summary>scan: findings</summary>\n"
        "\n"
        "- api: 1 critical\n"
        "\n"
        "</details>\n"
        "\n"
        "#### ✋ prod: waiting\n"
        "\n"
        "ready · [prod](https://shop.example/) · release `r-1`\n"
    )


def test_news_take_the_place_of_those_before_about_the_same_and_of_nothing_else() -> None:
    about = commit()
    body = write((stage(about, "scan", "1 critical", "- the finding"),))
    body = write((prod(about, State.WAITING, "the plan"),), body)
    body = write((prod(about, State.SUCCESS, sentence="probed"),), body)
    assert [body.count(words) for words in ("1 critical", "- the finding", "the plan")] == [1] * 3
    assert ("prod: waiting" in body, "prod: success" in body) == (False, True)
    assert body == write((prod(about, State.SUCCESS, sentence="probed"),), body), "the same again"


@pytest.mark.parametrize(
    ("news", "stays"),
    [
        pytest.param(prod(commit(TWO), State.SUCCESS), False, id="another commit begins anew"),
        pytest.param(stage(commit(run="run-2"), "lint", "no"), False, id="so does another run"),
        pytest.param(
            prod(commit(run="run-2"), State.INACTIVE), True, id="a rollback adds what it does"
        ),
    ],
)
def test_what_stays_of_a_comment(news: News, stays: bool) -> None:  # noqa: FBT001 a table's column
    assert (
        "1 critical" in write((news,), write((stage(commit(), "scan", "1 critical"),)))
    ) is stays


def test_what_others_wrote_is_shown_as_it_is_and_moves_nothing() -> None:
    about = commit(subject=EVIL)
    page = fenced(
        f"+ {EVIL}\n<!-- slipway:end -->\n<!-- slipway:begin environment prod -->\nall good"
    )
    body = write((stage(about, "lint", EVIL, page), prod(about, State.FAILURE, sentence=EVIL)))
    again = write((prod(about, State.SUCCESS),), body)
    assert "prod: failure" not in again
    assert again.count("<!-- slipway:end -->") == 2
    shown = re.sub(r"(?s)```.*?```", "", body)
    assert not re.search(r"(?<!\\)</table>|@team|(?<!\\)\[x\]|(?<!\\)\*\*bold", shown)


def test_a_plan_that_is_too_long_gives_way_to_a_sentence() -> None:
    about = commit()
    news = (stage(about, "scan", "3 warn", "- short"), prod(about, State.WAITING, "x" * 70_000))
    body = write(news)
    assert len(body) < 60_000
    assert "Too long to be shown here" in body
    assert "- short" in body


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        pytest.param(StageNews(commit(), "lint", State.PENDING), False, id="what begins"),
        pytest.param(StageNews(commit(), "lint", State.SUCCESS), False, id="what passes"),
        pytest.param(StageNews(commit(), "lint", State.ERROR), True, id="what could not be done"),
        pytest.param(StageNews(commit(), "scan", State.SUCCESS, "", "3"), True, id="findings"),
        pytest.param(StageNews(commit(), "release", State.SUCCESS), True, id="the release"),
        pytest.param(prod(commit(), State.IN_PROGRESS), True, id="an environment"),
    ],
)
def test_what_stands_in_a_comment(news: News, expected: bool) -> None:  # noqa: FBT001 a table's column
    assert belongs(news) is expected


def test_a_comment_of_another_application_is_not_ours() -> None:
    body = write((prod(commit(), State.SUCCESS),))
    assert [is_ours(body, "shop"), is_ours(body, "sho"), is_ours(f"hm\n{body}", "shop")] == [
        True,
        False,
        False,
    ]
