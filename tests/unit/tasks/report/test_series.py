from dataclasses import replace

from tasks.core.slos import Custom
from tasks.report.series import Goal, Window, goals, indicators, traffic, window
from tests.unit.tasks.report.records import RECORD, SLOS, moment, sample

MINUTE = Window(0, 60)


def test_the_window_reaches_from_the_first_count_or_change_of_traffic_to_behind_the_last() -> None:
    record = replace(
        RECORD,
        moments=(moment(0, "started"), moment(5, "5 %", 5), moment(50, "back", 0)),
        samples=(sample(-20, "stable", 10, 0), sample(30, "canary", 10, 0)),
    )
    assert window(record) == Window(-20, 52.8)


def test_a_rollout_that_moved_no_traffic_and_counted_nothing_has_no_window() -> None:
    assert window(RECORD) is None


def test_a_window_of_one_instant_has_a_width() -> None:
    assert window(replace(RECORD, moments=(moment(5, "100 %", 100),))) == Window(5, 6)


def test_traffic_is_drawn_as_steps_whatever_the_order_of_the_moments() -> None:
    record = replace(
        RECORD, moments=(moment(40, "back", 0), moment(10, "5 %", 5), moment(12, "ready"))
    )
    assert traffic(record, MINUTE) == ((0, 0), (10, 0), (10, 5), (40, 5), (40, 0), (60, 0))


def test_a_rollout_without_shares_has_no_traffic_to_draw() -> None:
    assert traffic(replace(RECORD, moments=(moment(0, "started"),)), MINUTE) == ()


def test_events_are_added_up_in_slots_of_time_as_percent_of_bad_ones() -> None:
    record = replace(
        RECORD,
        samples=(
            sample(1.1, "canary", 10, 0),
            sample(1.2, "canary", 10, 5),
            sample(3.0, "canary", 0, 0),
            sample(4.0, "canary", 10, 10),
        ),
    )
    (found,) = indicators(record, Window(0, 48), SLOS)
    (line,) = found.lines
    assert (found.name, found.is_share, line.track) == ("availability", True, "canary")
    assert line.points == ((1.5, 25), (4.5, 100))
    assert (line.total, line.bad, line.value) == (30, 15, 50)


def test_what_components_counted_at_one_time_is_added_up() -> None:
    api, web = sample(1.1, "canary", 10, 5), replace(sample(1.1, "canary", 30, 5), component="web")
    (found,) = indicators(replace(RECORD, samples=(api, web)), Window(0, 48), SLOS)
    assert (found.lines[0].points, found.lines[0].total) == (((1.5, 25),), 40)


def test_a_plain_number_is_shown_as_its_mean() -> None:
    record = replace(
        RECORD,
        samples=(
            sample(1.1, "stable", 1, 0.25, sli="saturation"),
            sample(1.2, "stable", 1, 0.75, sli="saturation"),
        ),
    )
    (found,) = indicators(record, Window(0, 48), SLOS)
    assert (found.is_share, found.lines[0].points, found.lines[0].value) == (
        False, ((1.5, 0.5),), 0.5
    )  # fmt: skip


def test_a_plain_number_of_many_readings_in_one_is_no_share() -> None:
    record = replace(RECORD, samples=(sample(1, "canary", 4, 2, sli="saturation"),))
    (found,) = indicators(record, MINUTE, SLOS)
    assert (found.is_share, found.lines[0].value) == (False, 0.5)


def test_goals_are_what_slipway_yaml_allows_by_the_names_of_their_samples() -> None:
    custom = {
        "checkout": Custom(objective=99, errors="e", total="t"),
        "queue": Custom(query="q", limit=7),
    }
    assert goals(replace(SLOS, custom=custom)) == {
        "availability": Goal(0.5, is_share=True),
        "latency": Goal(5, is_share=True),
        "saturation": Goal(0.8, is_share=False),
        "checkout": Goal(1, is_share=True),
        "queue": Goal(7, is_share=False),
    }


def test_a_line_is_broken_where_nothing_was_counted_for_a_while() -> None:
    record = replace(
        RECORD, samples=tuple(sample(at, "stable", 10, 0) for at in (0, 5, 10, 30, 35))
    )
    (found,) = indicators(record, Window(0, 48), SLOS)
    assert found.lines[0].points == (
        (0.5, 0), (5.5, 0), (10.5, 0), (20.5, None), (30.5, 0), (35.5, 0)
    )  # fmt: skip
