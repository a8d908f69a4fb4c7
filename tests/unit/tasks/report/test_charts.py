import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.report.charts import Chart, Curve, Flag, after, ceiling, draw, instants, number
from tasks.report.series import Window

MINUTE = Window(0, 60)


def drawn(chart: Chart) -> ET.Element:
    return ET.fromstring(draw(chart))  # noqa: S314 our own


@pytest.mark.parametrize(
    ("value", "top"),
    [(0, 1), (0.003, 0.005), (0.3, 0.5), (1, 1), (1.01, 2), (42, 50), (99.5, 100), (7e9, 1e10)],
)
def test_the_upper_edge_is_a_round_number(value: float, top: float) -> None:
    assert ceiling(value) == pytest.approx(top)


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_no_value_lies_above_the_upper_edge(value: float) -> None:
    assert value <= ceiling(value) * (1 + 1e-6)
    assert ceiling(value) <= 10.1 * value


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (Window(0, 1), (0, 1)),
        (Window(11, 81), (15, 30, 45, 60, 75)),
        (Window(-20, 50), (-15, 0, 15, 30, 45)),
        (Window(0, 3600), (0, 900, 1800, 2700, 3600)),
        (Window(0, 10 * 86400), (0, 172800, 345600, 518400, 691200, 864000)),
    ],
)
def test_times_below_a_chart_are_round_and_few(shown: Window, expected: tuple[float, ...]) -> None:
    assert instants(shown) == expected


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "+0s"), (65, "+1m5s"), (-20, "\N{MINUS SIGN}20s")]
)
def test_an_instant_is_told_from_the_start(seconds: float, text: str) -> None:
    assert after(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.324, "0.324"), (16.61, "16.6"), (412.0, "412"), (3088.0, "3,088")]
)
def test_a_number_shows_the_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text
    assert number(value, "%") == f"{text}\N{NO-BREAK SPACE}%"


def test_a_chart_has_its_lines_where_the_values_are() -> None:
    curve = Curve("canary", ((0, 0), (30, 25), (45, None), (60, 50)))
    svg = drawn(Chart("Errors", MINUTE, 50, "%", (curve,)))
    assert svg.get("aria-label") == "Errors"
    (path,) = svg.iter("path")
    assert path.get("d") == "M0.0 1000.0h0L500.0 500.0M1000.0 0.0h0"


def test_an_area_is_closed_along_zero() -> None:
    curve = Curve("canary", ((0, 100), (60, 100)), is_area=True)
    svg = drawn(Chart("Traffic", MINUTE, 100, "%", (curve,)))
    area, _line = svg.iter("path")
    assert area.get("d") == "M0.0 1000.0h0L0.0 0.0L1000.0 0.0L1000.0 1000.0"


def test_a_verdict_is_marked_with_its_number_and_tells_what_it_said() -> None:
    flags = (
        Flag(30, "verdict: <b>failed</b>", "bad", "2"),
        Flag(15, "5 %", "faint"),
        Flag(99, "too late", "good", "3"),
    )
    svg = drawn(Chart("Errors", MINUTE, 50, "%", (), flags))
    marked = {line.findtext("title"): line.get("x1") for line in svg.iter("line")}
    assert {what: x for what, x in marked.items() if what} == {
        "verdict: <b>failed</b>": "50.00%",
        "5 %": "25.00%",
    }
    labels = [text.text for text in svg.iter("text") if text.get("class") == "flag-label bad"]
    assert labels == ["2"]
