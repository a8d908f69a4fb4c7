"""Windows, freezes and the nightly schedule: whether these times exist and leave any over."""

import functools
import re
import zoneinfo
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from croniter import CroniterBadDateError, CroniterError, croniter

from tasks.core.application import Application, Environment
from tasks.core.calendar import DAYS, begin_of, end_of, is_weekly
from tasks.core.config.problem import Finding, Path
from tasks.core.gates import Freeze, Window
from tasks.core.nightly import Nightly, OwnNight
from tasks.core.nights import shiftable
from tasks.core.units import format_duration

__all__ = ["calendar_findings", "nightly_findings"]

WEEK_MINUTES = 7 * 24 * 60
YEARS = range(2000, 3000)
MIN_JITTER, MAX_JITTER = timedelta(minutes=1), timedelta(hours=12)
_STAGE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
MONDAY = datetime(2026, 1, 5)  # noqa: DTZ001 any Monday; the zone is put on below


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def zone_findings(zone: str, path: Path) -> Iterator[Finding]:
    """Say when a time zone is not in the tz database."""
    if zone not in _zones():
        yield Finding(
            path, f"{zone!r} is no time zone", "write a name of the tz database: Europe/Lisbon, UTC"
        )


def calendar_findings(environment: Environment, path: Path) -> Iterator[Finding]:
    """Times that do not exist, and freezes and windows that together leave no minute of a week."""
    faults = False
    rules: list[tuple[Path, Freeze | Window]] = [
        *((("windows", index), each) for index, each in enumerate(environment.windows)),
        *((("freezes", index), each) for index, each in enumerate(environment.freezes)),
    ]
    for place, rule in rules:
        found = list(_rule(rule, (*path, *place)))
        faults = faults or bool(found)
        yield from found
    if not faults and not _open_minutes(environment):
        key = "windows" if environment.windows else "freezes"
        what = (
            "lie inside freezes, so that nothing could ever be rolled out"
            if environment.windows
            else "cover the whole week, so that nothing could ever be rolled out"
        )
        yield Finding((*path, key), what, "leave a gap")


def _rule(rule: Freeze | Window, path: Path) -> Iterator[Finding]:
    yield from zone_findings(rule.tz, (*path, "tz"))
    moments = (("from", rule.start), ("to", rule.end))
    wrong = [(key, fault) for key, moment in moments if (fault := _moment_fault(moment))]
    for key, (what, remedy) in wrong:
        yield Finding((*path, key), what, remedy)
    if wrong:
        return
    if is_weekly(rule.start) != is_weekly(rule.end):
        remedy = "write a weekday and a time twice, or a day twice"
        yield Finding(path, "begins or ends every week, and not both", remedy)
    elif not is_weekly(rule.start):
        if end_of(rule.end) <= begin_of(rule.start):
            what = f"must be after {rule.start}, got {rule.end}"
            yield Finding((*path, "to"), what, "let it end later")
    elif rule.start == rule.end:
        yield Finding(
            path,
            f"begins and ends at {rule.start}, which is a whole week or nothing",
            "let it end at another time",
        )


def _moment_fault(moment: str) -> tuple[str, str] | None:
    """Say what is wrong with a moment, and what to do about it; None where nothing is."""
    day, _, time = moment.partition(" ")
    hour, _, minute = time.partition(":")
    if time and (int(hour) > 23 or int(minute) > 59):  # noqa: PLR2004 a clock's last hour, minute
        return f"{time} is no time of day", "write 00:00 to 23:59"
    if is_weekly(moment):
        return None
    try:
        year = date.fromisoformat(day).year
    except ValueError:
        return f"{day} is no day", "write year, month and day, such as 2026-12-24"
    if year not in YEARS:
        return f"{day} is not in this millennium", "write a day that people wait for"
    return None


def _open_minutes(environment: Environment) -> set[int]:
    """Return the minutes of a week in which something may be rolled out, some day."""
    inside = set().union(*map(_minutes, environment.windows))
    weekly = (each for each in environment.freezes if is_weekly(each.start))
    return (inside or set(range(WEEK_MINUTES))).difference(*map(_minutes, weekly))


def _minutes(rule: Freeze | Window) -> set[int]:
    start, end = _minute(rule.start, rule.tz), _minute(rule.end, rule.tz)
    through = range(start, end) if start < end else range(start, end + WEEK_MINUTES)
    return {minute % WEEK_MINUTES for minute in through}


def _minute(moment: str, zone: str) -> int:
    """Minute of the week in UTC, with the zone's winter offset."""
    hour, minute = moment[4:].split(":")
    local = MONDAY + timedelta(days=DAYS.index(moment[:3]), hours=int(hour), minutes=int(minute))
    offset = local.replace(tzinfo=zoneinfo.ZoneInfo(zone)).utcoffset() or timedelta()
    return int((local - offset - MONDAY).total_seconds() // 60) % WEEK_MINUTES


def nightly_findings(application: Application) -> Iterator[Finding]:
    """Schedules that cannot be read, that never come, or that are about nothing."""
    common = application.nightly
    if common is not None:
        yield from _schedule(common, ("nightly",))
        yield from _unknown(common.environments or (), application)
        yield from _refreshed(common.refresh)
    for name, environment in application.environments.items():
        own, path = environment.nightly, ("environments", name, "nightly")
        if own is None:
            continue
        yield from _schedule(own, path)
        if own.cron is None and common is None:
            remedy = "write cron here, or a nightly for the whole application"
            yield Finding(path, "says no cron, and the application has no nightly", remedy)


def _schedule(nightly: Nightly | OwnNight, path: Path) -> Iterator[Finding]:
    if nightly.tz is not None:
        yield from zone_findings(nightly.tz, (*path, "tz"))
    if nightly.cron is None:
        return
    fault = _cron_fault(nightly.cron)
    if fault:
        remedy = "write five fields: minute hour day month weekday, such as `0 3 * * *`"
        yield Finding((*path, "cron"), f"{fault}, got {nightly.cron!r}", remedy)
    elif nightly.jitter is not None:
        yield from _jitter(nightly.cron, nightly.jitter, (*path, "jitter"))


def _jitter(cron: str, jitter: timedelta, path: Path) -> Iterator[Finding]:
    if not shiftable(cron):
        remedy = "write one minute and one hour in cron, such as `0 3 * * *`, or leave jitter out"
        yield Finding(path, f"can only move one time of day, got {cron!r}", remedy)
    if not MIN_JITTER <= jitter <= MAX_JITTER:
        what = f"must be between 1m and 12h, got {format_duration(jitter)}"
        yield Finding(path, what, "write minutes, such as 15m")


def _unknown(names: tuple[str, ...], application: Application) -> Iterator[Finding]:
    for index, name in enumerate(names):
        if name not in application.environments:
            there = ", ".join(application.environments)
            what = f"{name} is no environment of this application"
            yield Finding(("nightly", "environments", index), what, f"name some of {there}")


def _refreshed(stages: tuple[str, ...]) -> Iterator[Finding]:
    for index, stage in enumerate(stages):
        if not _STAGE.fullmatch(stage):
            what = f"{stage!r} is no name of a stage"
            remedy = "write what stands behind AS in the Dockerfile, such as dependencies"
            yield Finding(("nightly", "refresh", index), what, remedy)


def _cron_fault(cron: str) -> str:
    if len(cron.split()) != 5:  # noqa: PLR2004 minute hour day month weekday
        return "must have five fields"
    try:
        croniter(cron, MONDAY).get_next()
    except CroniterBadDateError:
        return "is a day that never comes"
    except (CroniterError, ValueError, KeyError, OverflowError, AttributeError, TypeError) as error:
        return f"is no cron schedule ({error})"
    return ""
