from dataclasses import replace

import pytest

from tasks.core.choices import LONGEST_SUBJECT, Choice, choice_of, chosen, chosen_in
from tasks.core.errors import ConfigError
from tests.unit.flows.test_views import STAGING

RECORD = replace(STAGING, number=12, environment="prod")


def test_a_line_of_a_form_names_its_rollout() -> None:
    line = choice_of(RECORD)
    assert line.startswith(f"prod 12: {RECORD.release.id}, ")
    assert chosen(line) == Choice(12, "prod")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param(None, Choice(None), id="nothing"),
        pytest.param("  ", Choice(None), id="an empty field"),
        pytest.param(7, Choice(7), id="a number"),
        pytest.param("7", Choice(7), id="a number that was written"),
        pytest.param("r-0123456789ab", Choice("r-0123456789ab"), id="a release"),
    ],
)
def test_what_somebody_has_chosen(word: int | str | None, expected: Choice) -> None:
    assert chosen(word) == expected


def test_a_long_subject_or_one_with_control_characters_stays_one_short_line() -> None:
    subject = "\x1b[31mall\nred " + "x" * 100
    line = choice_of(replace(RECORD, release=replace(RECORD.release, subject=subject)))
    assert line.isprintable()
    assert len(line.rpartition("UTC, ")[2]) == LONGEST_SUBJECT
    assert chosen(line) == Choice(12, "prod")


def test_another_environments_line_is_refused_because_its_number_means_something_else() -> None:
    with pytest.raises(ConfigError, match="12 was chosen from prod"):
        chosen_in(choice_of(RECORD), "staging")
    assert chosen_in(choice_of(RECORD), "prod") == 12
