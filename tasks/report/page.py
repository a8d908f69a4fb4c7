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
from tasks.core.units import format_duration
from tasks.report import series
from tasks.report.charts import Chart, Curve, Flag, after, ceiling, draw, number
from tasks.report.series import Indicator, Line, Window

__all__ = ["known_moments", "report_page"]

VERDICT = "verdict"
"""How a moment begins that tells of a verdict; it gets a number in charts and timeline."""

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


def report_page(record: Record) -> str:
    """Show everything that is known about a rollout."""
    shown = series.window(record)
    entries = tuple(_entries(record))
    return _TEMPLATES.get_template("page.html.j2").render(
        record=record,
        entries=entries,
        traffic=_traffic(record, shown, entries) if shown else None,
        panels=_panels(record, shown, entries) if shown else (),
        changed=_changed(record),
        tones=TONES,
        signs=SIGNS,
    )


def _entries(record: Record) -> Iterator[_Entry]:
    """Number the verdicts, so that charts and timeline point at each other."""
    verdicts = 0
    for moment in known_moments(record):
        is_verdict = moment.what.startswith(VERDICT)
        verdicts += is_verdict
        yield _Entry(moment, after(_since(record, moment)), str(verdicts) if is_verdict else "")


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


def _panels(record: Record, shown: Window, entries: tuple[_Entry, ...]) -> tuple[_Panel, ...]:
    flags = tuple(
        _flag(record, entry) for entry in entries if entry.label or entry.moment.share is not None
    )
    return tuple(_panel(indicator, shown, flags) for indicator in series.indicators(record, shown))


def _flag(record: Record, entry: _Entry) -> Flag:
    return Flag(_since(record, entry.moment), _clean(entry.moment.what), entry.label)


def _panel(indicator: Indicator, shown: Window, flags: tuple[Flag, ...]) -> _Panel:
    unit = "%" if indicator.is_share else ""
    curves = tuple(Curve(line.track, line.points) for line in indicator.lines)
    values = [value for curve in curves for _, value in curve.points if value is not None]
    title = f"{_clean(indicator.name)}, canary against stable, over time"
    return _Panel(
        name=indicator.name,
        unit="bad events" if indicator.is_share else "",
        wholes=tuple(_whole(line, indicator) for line in indicator.lines),
        chart=draw(Chart(title, shown, ceiling(max(values, default=0)), unit, curves, flags)),
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
