"""What the report page shows of traffic and counts: charts, and their sums in numbers."""

from dataclasses import dataclass

from markupsafe import Markup

from tasks.report.charts import Chart, Curve, Flag, ceiling, draw, number
from tasks.report.series import Indicator, Line, Point, Window

__all__ = ["Panel", "panel_of", "traffic_chart", "wholes"]


@dataclass(frozen=True, slots=True)
class Panel:
    """An indicator: its chart, and each track's whole in numbers (track, value, of what)."""

    name: str
    unit: str
    wholes: tuple[tuple[str, str, str], ...]
    chart: Markup


def traffic_chart(corners: tuple[Point, ...], shown: Window, flags: tuple[Flag, ...]) -> Markup:
    """Draw the new release's share of the traffic."""
    title = "Share of the traffic that the new release answered"
    return draw(Chart(title, shown, 100, "%", (Curve("canary", corners, is_area=True),), flags))


def panel_of(indicator: Indicator, shown: Window, flags: tuple[Flag, ...]) -> Panel:
    """Draw an indicator of both releases, with what its goal allows."""
    unit = "%" if indicator.is_share else ""
    curves = tuple(Curve(line.track, line.points) for line in indicator.lines)
    values = [value for curve in curves for _, value in curve.points if value is not None]
    title = f"{indicator.name}, canary against stable, over time"
    limit = indicator.goal.limit if indicator.goal else None
    top = ceiling(max(values, default=0))
    return Panel(
        name=indicator.name,
        unit=_unit(indicator),
        wholes=wholes(indicator),
        chart=draw(Chart(title, shown, top, unit, curves, flags, limit)),
    )


def wholes(indicator: Indicator) -> tuple[tuple[str, str, str], ...]:
    """Return track, value and of what, over the whole rollout."""
    return tuple(_whole(line, indicator) for line in indicator.lines)


def _unit(indicator: Indicator) -> str:
    words = "bad events" if indicator.is_share else ""
    if indicator.goal is None:
        return words
    allowed = f"{number(indicator.goal.limit, '%' if indicator.is_share else '')} allowed"
    return f"{words}, {allowed}" if words else allowed


def _whole(line: Line, indicator: Indicator) -> tuple[str, str, str]:
    total = number(line.total)
    if indicator.is_share:
        return line.track, number(line.value, "%"), f"{number(line.bad)} of {total}"
    return line.track, number(line.value), f"mean of {total} readings"
