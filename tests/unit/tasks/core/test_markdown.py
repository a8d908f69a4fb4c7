import pytest

from tasks.core.errors import StageFailed
from tasks.core.markdown import (
    artifact_key,
    check_page,
    fenced,
    inline,
    plain,
    public_address,
    refusal_page,
    table,
)
from tasks.core.model import CheckResult


def test_a_key_is_made_of_small_letters_digits_and_dashes() -> None:
    assert artifact_key("plan", "my_Shop", "prod") == "plan-my-shop-prod"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a | b", r"a \| b"),
        ("<script>", r"\<script\>"),
        ("two\n\nlines", "two lines"),
        ("`x` [a](b)", r"\`x\` \[a\](b)"),
    ],
)
def test_plain_text_means_nothing_in_markdown(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_code_within_a_line_stays_within_it() -> None:
    assert inline("a`b\nc") == "`a'b c`"


def test_a_block_of_code_ends_where_it_should() -> None:
    assert fenced("a\n```\nb", "diff") == "````diff\na\n```\nb\n````"


def test_a_table_has_a_head_and_rows() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_check_that_passed_shows_its_numbers() -> None:
    text = check_page(CheckResult("api", "test", "12 tests passed", tests=12, seconds=3.21))
    assert text.startswith("## ✓ api: test\n")
    assert "| tests | 12 |" in text
    assert "| took | 3.2 s |" in text


def test_a_check_that_said_no_shows_each_failed_test_and_what_to_do() -> None:
    error = StageFailed("1 of 12 tests failed\n  sums: 1 is not 2", "shop/api", "mend it")
    text = refusal_page("api", "test", error)
    assert text.startswith("## ✗ api: test\n\n**1 of 12 tests failed**\n\n```\n  sums: 1 is not 2")
    assert "Next: mend it" in text


@pytest.mark.parametrize(
    ("ingress", "address"),
    [
        ("127.0.0.1:15080", "http://dev.shop.localhost:15080/"),
        (None, "http://dev.shop.localhost"),
    ],
)
def test_an_address_leads_a_browser_to_the_ingress(ingress: str | None, address: str) -> None:
    assert public_address("http://dev.shop.localhost", ingress) == address
