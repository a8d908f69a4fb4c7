"""A rollout's record as one static page: no scripts, nothing from elsewhere.

What comes from commits, tests and clusters is escaped by the template engine, and characters that
turn text round or hide in it are taken out: a commit's subject must not look like a verdict.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from unicodedata import category

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from tasks.core.model import Outcome
from tasks.core.record import ChangeKind, Moment, Record, RolloutState
from tasks.core.slos import Slos
from tasks.core.units import format_duration
from tasks.report import series
from tasks.report.charts import Flag, after
from tasks.report.panels import panel_of, traffic_chart, wholes

__all__ = ["known_moments", "report_page"]

MOST_LINES = 400
"""Of one object's diff; the rest stands in `slipway show --json`."""

FOLDER = Path(__file__).parent

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


def report_page(record: Record, slos: Slos) -> str:
    """Show everything that is known about a rollout that was judged by these objectives."""
    entries = tuple(_entries(record))
    return _PAGE.render(
        record=record,
        entries=entries,
        changed=record.plan.changed if record.plan else (),
        tones=TONES,
        signs=SIGNS,
        **_charts(record, slos, entries),
    )


def _charts(record: Record, slos: Slos, entries: tuple[_Entry, ...]) -> dict[str, Any]:
    """Draw what was counted, where anything was; parts without a goal are numbers alone."""
    shown = series.window(record)
    if shown is None:
        return {"traffic": None, "panels": (), "parts": ()}
    flags = tuple(_flags(record, entries))
    verdicts = tuple(flag for flag in flags if flag.label)
    corners = series.traffic(record, shown)
    found = [
        replace(each, name=_clean(each.name)) for each in series.indicators(record, shown, slos)
    ]
    return {
        "traffic": traffic_chart(corners, shown, verdicts) if corners else None,
        "panels": [panel_of(each, shown, flags) for each in found if each.goal],
        "parts": [(each.name, wholes(each)) for each in found if not each.goal],
    }


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


def _flags(record: Record, entries: tuple[_Entry, ...]) -> Iterator[Flag]:
    """Mark verdicts by their outcome, and faintly the changes of traffic."""
    for entry in entries:
        moment = entry.moment
        tone = TONES[moment.outcome] if moment.outcome else "faint"
        if entry.label or moment.share is not None:
            yield Flag(_since(record, moment), _clean(moment.what), tone, entry.label)


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


def _page() -> Template:
    """Read the template once: a process keeps the one that it began with."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"when": _when, "duration": format_duration, "diff": _diff}
    style = (FOLDER / "page.css").read_text()
    return made.get_template("page.html.j2", globals={"style": Markup(style)})  # noqa: S704 ours


_PAGE = _page()
