"""`slipway show`: everything that is known about one rollout."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.options import Application, Context, Json, Kubeconfig
from infra.cli.output import console, print_json, say, shown, table
from infra.cli.rollouts import connected, for_scripts, place_in, show_plan, state_of, took
from infra.target import Named
from tasks.core.errors import ConfigError
from tasks.core.files import write_whole
from tasks.core.markdown import mark
from tasks.core.model import Outcome
from tasks.core.record import Record
from tasks.core.slos import Slos
from tasks.report import series
from tasks.report.charts import after, number
from tasks.report.effects import report_file, report_place
from tasks.report.page import known_moments, report_page
from tasks.rollout.history import stored_history
from tasks.rollout.model import Place, Stored

__all__ = ["show"]

COLOURS = {Outcome.PASSED: "green", Outcome.FAILED: "red"}


def show(  # noqa: PLR0913 one parameter an option
    environment: Annotated[str, typer.Argument(help="Name of the environment.")],
    number: Annotated[
        int | None, typer.Argument(help="Of the rollout, as in the history; the newest if absent.")
    ] = None,
    *,
    application: Application = Path(),
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the report page to this file instead.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show one rollout: its steps, counts, verdicts, approvals and diff.

    Example: `slipway show prod 7 --html report.html`
    """
    place = place_in(application, environment, Named(context, kubeconfig=kubeconfig))
    with connected(place.target) as cluster:
        found = _choose(stored_history(place, cluster), number, place)
    if html is not None:
        write_whole(html.absolute(), report_page(found.record, found.rules.slos).encode())
        say("✓", "green", f"the report of rollout {found.record.number} is in {html}")
    elif as_json:
        print_json({**for_scripts(found), "report": _report(found.record)})
    else:
        _print(found)


def _choose(newest_first: tuple[Stored, ...], number: int | None, place: Place) -> Stored:
    for each in newest_first:
        if number in {None, each.record.number}:
            return each
    raise ConfigError(
        "nothing has been rolled out yet" if number is None else f"no rollout {number}",
        where=str(place),
        next_step=f"slipway history {place.name}" if newest_first else "slipway deliver",
    )


def _print(found: Stored) -> None:
    record = found.record
    _print_pairs(_facts(found))
    _head("Steps")
    _print_pairs(_steps(record))
    counts = list(_counts(record, found.rules.slos))
    if counts:
        _head("Counts")
        table(("INDICATOR", "TRACK", "VALUE", "OF"), counts)
    if record.verdicts:
        _head("Verdicts")
        for verdict in record.verdicts:
            say(mark(verdict.outcome), COLOURS.get(verdict.outcome, "yellow"), verdict.reason)
            for line in verdict.evidence:
                console.print(f"    {shown(line)}", style="dim", markup=False)
    if record.plan:
        _head("What changed")
        show_plan(record.plan)
    stored = _report(record)
    again = f"slipway show {record.environment} {record.number} --html FILE"
    _head("Report")
    console.print(shown(stored or f"not on this machine: {again}"), markup=False)


def _head(text: str) -> None:
    console.print(f"\n[bold]{text}[/bold]")


def _print_pairs(rows: Iterator[tuple[str, str]]) -> None:
    pairs = list(rows)
    width = max(len(name) for name, _ in pairs)
    for name, text in pairs:
        console.print(f"{name:<{width}}  {shown(text)}", markup=False)


def _facts(found: Stored) -> Iterator[tuple[str, str]]:
    record, release = found.record, found.record.release
    facts = {
        "rollout": f"{record.number} of {release.application} in {record.environment}",
        "state": state_of(found),
        "reason": record.reason,
        "release": f"{release.id} {release.subject}",
        "commit": f"{release.commit[:12]} by {release.author}",
        "started": f"{record.started_at:%Y-%m-%d %H:%M:%S} UTC",
        "took": took(record),
        "started by": record.actor,
        "approved by": ", ".join(record.approved_by),
        "brings back": f"rollout {record.restores}" if record.restores is not None else "",
        "run": record.run,
    }
    yield from ((name, value) for name, value in facts.items() if value)


def _steps(record: Record) -> Iterator[tuple[str, str]]:
    for moment in known_moments(record):
        seconds = (moment.at - record.started_at).total_seconds()
        yield f"{moment.at:%H:%M:%S}  {after(seconds)}", moment.what


def _counts(record: Record, slos: Slos) -> Iterator[Sequence[str]]:
    window = series.window(record)
    for indicator in series.indicators(record, window, slos) if window else ():
        for line in indicator.lines:
            unit, of = ("%", "events") if indicator.is_share else ("", "readings")
            yield indicator.name, line.track, number(line.value, unit), f"{number(line.total)} {of}"


def _report(record: Record) -> str:
    """Return where the report is, if it is on this machine."""
    return report_place(record) if report_file(record).exists() else ""
