from dataclasses import replace

import pytest

from infra.cli.show import _choose, _counts, _facts, _print, _steps
from tasks.core.application import Environment
from tasks.core.errors import ConfigError
from tasks.core.target import Target
from tasks.rollout.model import Place, Stored
from tests.unit.tasks.report.records import RECORD, SLOS, moment, sample, taken_back

PLACE = Place("shop", "prod", Environment("o", "shop"), Target("k", "c", "r", "b", "d"))
SEVEN, SIX = Stored(RECORD), Stored(replace(RECORD, number=6))


@pytest.mark.parametrize(("number", "found"), [(None, SEVEN), (7, SEVEN), (6, SIX)])
def test_a_rollout_is_chosen_by_its_number_the_newest_without_one(
    number: int | None, found: Stored
) -> None:
    assert _choose((SEVEN, SIX), number, PLACE) == found


def test_a_rollout_that_is_not_there_is_named_with_where_to_look() -> None:
    with pytest.raises(ConfigError, match=r"prod/shop: no rollout 9\. Next: slipway history prod"):
        _choose((SEVEN, SIX), 9, PLACE)
    with pytest.raises(ConfigError, match="nothing has been rolled out yet"):
        _choose((), None, PLACE)


def test_facts_leave_out_what_is_not_known() -> None:
    facts = dict(_facts(Stored(replace(RECORD, approved_by=(), run=""), bad=True)))
    assert (facts["state"], facts["took"]) == ("succeeded, bad", "1m15s")
    assert not {"approved by", "brings back", "run"} & set(facts)


def test_steps_are_told_by_the_clock_and_from_the_start_in_order() -> None:
    record = replace(RECORD, moments=(moment(11, "5 % of the traffic", 5), moment(0, "started")))
    assert list(_steps(record)) == [
        ("12:00:00  +0s", "started"),
        ("12:00:11  +11s", "5 % of the traffic"),
    ]


def test_counts_are_summed_up_for_each_indicator_and_track() -> None:
    record = replace(
        RECORD,
        samples=(
            sample(1, "canary", 100, 5),
            sample(1, "stable", 400, 1),
            sample(2, "stable", 400, 1),
            sample(1, "canary", 1, 0.5, sli="saturation"),
        ),
    )
    assert list(_counts(record, SLOS)) == [
        ("availability", "stable", "0.25\N{NO-BREAK SPACE}%", "800 events"),
        ("availability", "canary", "5\N{NO-BREAK SPACE}%", "100 events"),
        ("saturation", "canary", "0.5", "1 readings"),
    ]


def test_everything_is_printed_and_nothing_in_it_is_taken_for_markup(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = taken_back()
    hostile = replace(record.release, subject="[red]sold[/nothing]\x1b[2J")
    _print(Stored(replace(record, release=hostile)))
    said = capsys.readouterr().out
    assert "[red]sold[/nothing][2J" in said
    for words in ("+1m19s", "canary: 75 of 412", "~ Deployment/api", "+  image: api@2", "--html"):
        assert words in said
