"""Charts as inline SVG: lines stretch with the page, words keep their size.

Horizontal places are percentages; what has to be a path lies in an inner SVG that is stretched.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from tasks.core.units import format_duration
from tasks.report.series import Point, Window

__all__ = ["Chart", "Curve", "Flag", "after", "ceiling", "draw", "instants", "number"]

HEIGHT = 184
TOP = 20
PLOT = 140
INNER = 1000
"""Side of the inner SVG's own square."""

EDGE = 6
"""Percent from an edge within which a label leans inwards."""

MOST_TICKS = 5
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Seconds between two times below a chart; beyond them whole days."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A line; kind is its class in the style sheet, is_area fills it down to zero."""

    kind: str
    points: tuple[Point, ...]
    is_area: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """An instant, in seconds after the start; kind is its class in the style sheet."""

    at: float
    what: str
    kind: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn.

    Attributes:
        top: value at the upper edge; the lower one is zero.
        unit: behind the numbers.
        limit: what is allowed, as a line across; none where it lies above the upper edge.
    """

    title: str
    shown: Window
    top: float
    unit: str
    curves: tuple[Curve, ...]
    flags: tuple[Flag, ...] = ()
    limit: float | None = None


def draw(chart: Chart) -> Markup:
    """Return a chart as one SVG element."""
    flags = [flag for flag in chart.flags if chart.shown.begin <= flag.at <= chart.shown.end]
    parts = (
        *_grid(),
        *_times(chart),
        *_limit(chart),
        *(_flag(flag, _across(flag.at, chart.shown)) for flag in flags),
        _plot(chart),
        *_values(chart),
        *(_label(flag, _across(flag.at, chart.shown)) for flag in flags if flag.label),
    )
    head = Markup('<svg class="chart" role="img" aria-label="{}" width="100%" height="{}">')
    return head.format(chart.title, HEIGHT) + Markup("").join(parts) + Markup("</svg>")


def ceiling(value: float) -> float:
    """Return the next of 1, 2 and 5 times a power of ten: `ceiling(0.3)` is 0.5."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 5, 10) if value <= power * step * (1 + 1e-9))


def number(value: float, unit: str = "") -> str:
    """Write a number with three digits that count, and its unit."""
    text = f"{value:.3g}" if value < 1000 else f"{value:,.0f}"  # noqa: PLR2004 a thousand
    return f"{text}\N{NO-BREAK SPACE}{unit}" if unit else text


def after(seconds: float) -> str:
    """Write an instant as the time since the start: `+1m5s`."""
    sign = "\N{MINUS SIGN}" if seconds < 0 else "+"
    return sign + format_duration(timedelta(seconds=abs(seconds)))


def instants(shown: Window) -> tuple[float, ...]:
    """Return round seconds within a window, a few of them."""
    length = shown.end - shown.begin
    days = math.ceil(length / MOST_TICKS / STEPS[-1]) * STEPS[-1]
    step = next((each for each in STEPS if length / each <= MOST_TICKS), days)
    first = math.ceil(shown.begin / step)
    return tuple(float(each * step) for each in range(first, math.floor(shown.end / step) + 1))


def _across(seconds: float, shown: Window) -> float:
    """Percent from the left edge."""
    return 100 * (seconds - shown.begin) / (shown.end - shown.begin)


def _grid() -> Iterator[Markup]:
    line = Markup('<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>')
    for part in (0.0, 0.5, 1.0):
        yield line.format(f"{_height(part):g}")


def _values(chart: Chart) -> Iterator[Markup]:
    text = Markup('<text class="tick" x="0" y="{}">{}</text>')
    for part in (0.5, 1.0):
        yield text.format(f"{_height(part) - 4:g}", number(chart.top * part, chart.unit))


def _height(part: float) -> float:
    return TOP + PLOT * (1 - part)


def _limit(chart: Chart) -> Iterator[Markup]:
    if chart.limit is not None and chart.limit <= chart.top:
        line = Markup('<line class="limit" x1="0" x2="100%" y1="{0}" y2="{0}"/>')
        yield line.format(f"{_height(chart.limit / chart.top):.1f}")


def _times(chart: Chart) -> Iterator[Markup]:
    text = Markup('<text class="tick" x="{}%" y="{}" text-anchor="{}">{}</text>')
    for at in instants(chart.shown):
        across = _across(at, chart.shown)
        yield text.format(f"{across:.2f}", HEIGHT - 6, _anchor(across), after(at))


def _anchor(across: float) -> str:
    if across < EDGE:
        return "start"
    return "end" if across > 100 - EDGE else "middle"


def _flag(flag: Flag, across: float) -> Markup:
    line = Markup(
        '<line class="flag {0}" x1="{1}%" x2="{1}%" y1="{2}" y2="{3}"><title>{4}</title></line>'
    )
    return line.format(flag.kind, f"{across:.2f}", TOP, TOP + PLOT, flag.what)


def _label(flag: Flag, across: float) -> Markup:
    text = Markup('<text class="flag-label {}" x="{}%" y="{}" text-anchor="{}">{}</text>')
    return text.format(flag.kind, f"{across:.2f}", TOP - 6, _anchor(across), flag.label)


def _plot(chart: Chart) -> Markup:
    head = Markup(
        '<svg x="0" y="{0}" width="100%" height="{1}" viewBox="0 0 {2} {2}" '
        'preserveAspectRatio="none" overflow="visible">'
    )
    paths = Markup("").join(_curve(curve, chart) for curve in chart.curves)
    return head.format(TOP, PLOT, INNER) + paths + Markup("</svg>")


def _curve(curve: Curve, chart: Chart) -> Markup:
    path = Markup('<path class="{}" vector-effect="non-scaling-stroke" d="{}"/>')
    line = path.format(f"line {curve.kind}", _path(curve.points, chart))
    if not curve.is_area or not curve.points:
        return line
    first, last = curve.points[0][0], curve.points[-1][0]
    closed = ((first, 0.0), *curve.points, (last, 0.0))
    return path.format(f"area {curve.kind}", _path(closed, chart)) + line


def _path(points: Iterable[Point], chart: Chart) -> str:
    """Write a path's commands; a lone point becomes a dot by the round ends of its line."""
    words = []
    command = "M"
    for seconds, value in points:
        if value is None:
            command = "M"
            continue
        right = _across(seconds, chart.shown) / 100 * INNER
        down = INNER * (1 - min(value / chart.top, 1))
        words.append(f"{command}{right:.1f} {down:.1f}" + ("h0" if command == "M" else ""))
        command = "L"
    return "".join(words)
