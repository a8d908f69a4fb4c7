"""When an application's environments are looked at at night: configuration read as schedules."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from tasks.core.application import Application
from tasks.core.nightly import Nightly

__all__ = ["Night", "automatic_in", "nightly_of", "nights", "shiftable", "shifted"]

MINUTE = timedelta(minutes=1)
LAST_MINUTE = 24 * 60 - 1


@dataclass(frozen=True, slots=True)
class Night:
    """One schedule.

    Attributes:
        name: stays the same from registration to registration.
        environments: that it is about, in the order of promotion.
        cron: in the place's own time, shifted by its part of the jitter.
    """

    name: str
    environments: tuple[str, ...]
    cron: str
    tz: str


def nightly_of(application: Application, environment: str) -> Nightly | None:
    """Return when an environment is looked at and how; None where it is not.

    What it says itself goes before what is said for all.
    """
    common, own = application.nightly, application.environments[environment].nightly
    if own is None:
        named = common is not None and (
            common.environments is None or environment in common.environments
        )
        return common if named else None
    cron = own.cron or (common.cron if common else None)
    if cron is None:
        return None
    base = common or Nightly(cron)
    return Nightly(
        cron=cron,
        tz=own.tz or base.tz,
        jitter=own.jitter or base.jitter,
        environments=(environment,),
        refresh=base.refresh,
        automatic=base.automatic if own.automatic is None else own.automatic,
    )


def automatic_in(environment: str, live: Application, newest: Application) -> bool:
    """Say whether a night's release goes in unasked, where only its base images are others.

    What is live and the newest commit have to allow it both: no commit lets itself in.
    """
    found = [nightly_of(each, environment) for each in (live, newest)]
    return all(each is not None and each.automatic for each in found)


def nights(application: Application) -> tuple[Night, ...]:
    """Return the schedules of an application: environments with the same time share one."""
    together: dict[tuple[str, str, timedelta | None], list[str]] = {}
    for name in application.environments:
        nightly = nightly_of(application, name)
        if nightly is not None:
            time = (nightly.cron, nightly.tz, nightly.jitter)
            together.setdefault(time, []).append(name)
    return tuple(
        Night(
            name=f"night-{'-'.join(names)}",
            environments=tuple(names),
            cron=shifted(cron, jitter, f"{application.application}/{names[0]}"),
            tz=tz,
        )
        for (cron, tz, jitter), names in together.items()
    )


def shiftable(cron: str) -> bool:
    """Say whether a schedule comes at one time of day, which can be moved by some minutes."""
    minute, hour, *_ = (*cron.split(), "", "")
    return minute.isdecimal() and hour.isdecimal()


def shifted(cron: str, jitter: timedelta | None, who: str) -> str:
    """Return a schedule later by its own part of the jitter, so that not all begin at once.

    The part comes from the name: it is the same every night and on every machine, and the UI
    shows when a night begins. Nothing is moved over midnight, where another day would begin.

    Args:
        cron: five fields, a plain minute and hour first.
        jitter: it is moved by less than that.
        who: whose schedule it is.
    """
    if not jitter or not shiftable(cron):
        return cron
    minute, hour, *days = cron.split()
    at = int(hour) * 60 + int(minute)
    room = min(jitter // MINUTE, LAST_MINUTE - at + 1)
    drawn = int.from_bytes(hashlib.sha256(who.encode()).digest()[:8])
    at += drawn % max(room, 1)
    return " ".join((str(at % 60), str(at // 60), *days))
