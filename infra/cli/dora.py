"""`slipway dora`: how well an application is delivered, from its environments' records."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.options import Application, Context, Json, Kubeconfig
from infra.cli.output import console, print_json, table
from infra.cli.rollouts import connected, described_in, place_in
from infra.target import Named
from tasks.core.clock import utc_now
from tasks.core.units import format_duration
from tasks.report.dora import DEFINITIONS, Figures, Period, figures
from tasks.rollout.history import history

__all__ = ["dora"]

LONG = timedelta(days=2)
"""From here on nobody counts in hours."""

SOURCE = "dora.dev/guides/dora-metrics"


def dora(
    *,
    application: Application = Path(),
    days: Annotated[int, typer.Option(min=1, help="How far to look back.")] = 90,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    as_json: Json = False,
) -> None:
    """Show DORA's five figures for each environment, with their definitions.

    Example: `slipway dora --days 30`
    """
    named = Named(context, kubeconfig=kubeconfig)
    now = utc_now()
    period = Period(now - timedelta(days=days), now)
    found = []
    for name in described_in(application).environments:
        place = place_in(application, name, named)
        with connected(place.target) as cluster:
            found.append(figures(name, history(place, cluster), period))
    if as_json:
        definitions = [dataclasses.asdict(each) for each in DEFINITIONS]
        print_json({"source": SOURCE, "definitions": definitions, "environments": found})
        return
    table(("ENVIRONMENT", *(each.name.upper() for each in DEFINITIONS)), map(_row, found))
    for each in found:
        if each.since > period.since:
            since = f"{each.since:%Y-%m-%d}"
            console.print(f"{each.environment}: since {since}; older records are pruned")
    console.print(f"\nover {days} days; DORA's words ({SOURCE}), and what is counted:")
    for one in DEFINITIONS:
        console.print(f"  {one.name}: {one.meaning}. {one.counted}.", markup=False)


def _row(found: Figures) -> tuple[str, ...]:
    return (
        found.environment,
        f"{found.deployments}, {_often(found.per_week)}",
        _lasting(found.lead_time_seconds),
        _share(found.change_fail_rate, found.failures, found.ended),
        _lasting(found.recovery_seconds)
        + (f", {found.unrecovered} not yet" if found.unrecovered else ""),
        _share(found.rework_rate, found.reworks, found.ended + found.rollbacks),
    )


def _often(per_week: float) -> str:
    """Say a frequency in the unit that people would take."""
    per_day, per_month = per_week / 7, per_week * 365.25 / 12 / 7
    if per_day >= 1:
        return f"{per_day:.1f} a day"
    return f"{per_week:.1f} a week" if per_week >= 1 else f"{per_month:.1f} a month"


def _lasting(seconds: float | None) -> str:
    if seconds is None:
        return "none yet"
    lasted = timedelta(seconds=round(seconds))
    return format_duration(lasted) if lasted < LONG else f"{lasted / timedelta(days=1):.1f} days"


def _share(rate: float | None, part: int, whole: int) -> str:
    return "none yet" if rate is None else f"{rate:.0%} ({part} of {whole})"
