"""A rollout's record as one static page: no scripts, nothing from elsewhere.

What comes from commits, tests and clusters is escaped by the template engine, and characters that
turn text round or hide in it are taken out: a commit's subject must not look like a verdict.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from unicodedata import category

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.core.model import Change, ChangeKind, Moment, Outcome, Record, RolloutState
from tasks.core.slos import Slos
from tasks.core.units import format_duration
from tasks.report import series
from tasks.report.charts import Chart, Curve, Flag, after, ceiling, draw, number
from tasks.report.series import Indicator, Line, Window

__all__ = ["known_moments", "report_page"]

MOST_LINES = 400
"""Of one object's diff; the rest stands in `slipway show --json`."""

TONES = {
    RolloutState.STARTED: "open",
    RolloutState.SUCCEEDED: "good",
    RolloutState.RESTORED: "bad",
    RolloutState.FAILED: "bad",
    RolloutState.SUPERSEDED: "open",
    Outcome.PASSED: "good",
    Outcome.FAILED: "bad",
    Outcome.NO_DATA: "open",
    Outcome.UNAVAILABLE: "open",
}
HIDDEN = frozenset({"Cc", "Cf", "Cs"})
"""Unicode's categories of characters that are not seen themselves: control, format, surrogate."""

LINES = {"---": "place", "+++": "place", "@": "place", "-": "removed", "+": "added"}
"""How a line of a diff begins, and its class; the first that fits counts."""

SIGNS = {ChangeKind.CREATE: "+", ChangeKind.UPDATE: "~", ChangeKind.DELETE: "\N{MINUS SIGN}"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the timeline; label is the number of a verdict."""

    moment: Moment
    after: str
    label: str


@dataclass(frozen=True, slots=True)
class _Panel:
    """An indicator: its chart, and each track's whole in numbers (track, value, of what)."""

    name: str
    unit: str
    wholes: tuple[tuple[str, str, str], ...]
    chart: Markup


def report_page(record: Record, slos: Slos) -> str:
    """Show everything that is known about a rollout that was judged by these objectives."""
    shown = series.window(record)
    entries = tuple(_entries(record))
    return _TEMPLATES.get_template("page.html.j2").render(
        record=record,
        entries=entries,
        traffic=_traffic(record, shown, entries) if shown else None,
        panels=_panels(record, shown, _flags(record, entries), _allowed(slos)) if shown else (),
        changed=_changed(record),
        tones=TONES,
        signs=SIGNS,
    )


def _entries(record: Record) -> Iterator[_Entry]:
    """Number the verdicts, so that charts and timeline point at each other."""
    verdicts = 0
    for moment in known_moments(record):
        verdicts += moment.outcome is not None
        label = str(verdicts) if moment.outcome else ""
        yield _Entry(moment, after(_since(record, moment)), label)


def known_moments(record: Record) -> tuple[Moment, ...]:
    """Return what happened, oldest first; a record without moments tells its start and end."""
    if record.moments:
        return tuple(sorted(record.moments, key=lambda each: each.at))
    began = Moment(record.started_at, "started")
    if record.finished_at is None:
        return (began,)
    return began, Moment(record.finished_at, f"{record.state.value}: {record.reason}")


def _since(record: Record, moment: Moment) -> float:
    return (moment.at - record.started_at).total_seconds()


def _traffic(record: Record, shown: Window, entries: tuple[_Entry, ...]) -> Markup | None:
    corners = series.traffic(record, shown)
    if not corners:
        return None
    title = "Share of the traffic that the new release answered"
    flags = tuple(_flag(record, entry) for entry in entries if entry.label)
    curve = Curve("canary", corners, is_area=True)
    return draw(Chart(title, shown, 100, "%", (curve,), flags))


def _flags(record: Record, entries: tuple[_Entry, ...]) -> tuple[Flag, ...]:
    """Mark verdicts, and faintly the changes of traffic."""
    return tuple(
        _flag(record, entry) for entry in entries if entry.label or entry.moment.share is not None
    )


def _allowed(slos: Slos) -> dict[str, float]:
    """Return the percent of bad events that each objective allows."""
    known = {"availability": slos.availability, "latency": slos.latency}
    return {name: 100 - slo.objective for name, slo in known.items() if slo}


def _panels(
    record: Record, shown: Window, flags: tuple[Flag, ...], allowed: dict[str, float]
) -> tuple[_Panel, ...]:
    return tuple(
        _panel(indicator, shown, flags, allowed.get(indicator.name))
        for indicator in series.indicators(record, shown)
    )


def _flag(record: Record, entry: _Entry) -> Flag:
    moment = entry.moment
    tone = TONES[moment.outcome] if moment.outcome else "faint"
    return Flag(_since(record, moment), _clean(moment.what), tone, entry.label)


def _panel(
    indicator: Indicator, shown: Window, flags: tuple[Flag, ...], allowed: float | None
) -> _Panel:
    unit = "%" if indicator.is_share else ""
    curves = tuple(Curve(line.track, line.points) for line in indicator.lines)
    values = [value for curve in curves for _, value in curve.points if value is not None]
    top = ceiling(max(values, default=0))
    title = f"{_clean(indicator.name)}, canary against stable, over time"
    return _Panel(
        name=indicator.name,
        unit="bad events" if indicator.is_share else "",
        wholes=tuple(_whole(line, indicator) for line in indicator.lines),
        chart=draw(Chart(title, shown, top, unit, curves, flags, allowed)),
    )


def _whole(line: Line, indicator: Indicator) -> tuple[str, str, str]:
    total = number(line.total)
    if indicator.is_share:
        return line.track, number(line.value, "%"), f"{number(line.bad)} of {total}"
    return line.track, number(line.value), f"mean of {total} readings"


def _changed(record: Record) -> tuple[Change, ...]:
    changes = record.plan.changes if record.plan else ()
    return tuple(each for each in changes if each.kind is not ChangeKind.UNCHANGED)


def _diff(text: str) -> Markup:
    """Show a diff, each line with the class of its sign."""
    lines = text.splitlines()
    span = Markup('<span class="{}">{}</span>\n')
    shown = [span.format(_class_of(line), _clean(line)) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        more = "… {} more lines stand in slipway show --json"
        shown.append(
            Markup('<span class="place">{}</span>').format(more.format(len(lines) - MOST_LINES))
        )
    return Markup("").join(shown)


def _class_of(line: str) -> str:
    return next((name for sign, name in LINES.items() if line.startswith(sign)), "same")


def _clean(value: Any) -> Any:  # noqa: ANN401 whatever the template shows
    """Take out of text what changes how other text looks."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join(one for one in value if category(one) not in HIDDEN or one in "\n\t")


def _when(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}"


def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"when": _when, "duration": format_duration, "diff": _diff, "number": number}
    return made


_TEMPLATES = _templates()
