"""What runs, looked at again with today's vulnerability database; somebody is told what is new."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.core.application import ScanPolicy
from tasks.core.model import ReleasedImage
from tasks.guard.model import Page
from tasks.guard.task import send_page
from tasks.rollout.model import Place
from tasks.rollout.task import read_past
from tasks.scan.alarm import Rescan, alarm_of
from tasks.scan.task import find_others, keep_rescan, rescan_running

__all__ = ["Watched", "watch"]

TO_DO = "to do: update what is named, or waive it in scan.waivers of slipway.yaml, and deliver"


@dataclass(frozen=True, slots=True)
class Watched:
    """An image that runs, where it does, and what was found."""

    environments: tuple[str, ...]
    found: Rescan


def watch(places: Iterable[Place], policy: ScanPolicy) -> tuple[Watched, ...]:
    """Look at every image that runs, each once, and wake somebody up where it must be.

    Those of the live releases are looked at, and whatever else runs beside them.

    Args:
        places: the environments.
        policy: of the newest commit: with the waivers of today.
    """
    where: dict[ReleasedImage, list[Place]] = {}
    for place in places:
        for image in _images(place):
            where.setdefault(image, []).append(place)
    found = tuple(
        Watched(
            tuple(place.name for place in there),
            rescan_running(_named(there), image, policy, there[0].target),
        )
        for image, there in where.items()
    )
    _tell(found, where)
    return found


def _images(place: Place) -> tuple[ReleasedImage, ...]:
    """Return what runs in an environment; nothing before its first release."""
    past = read_past(place)
    live = past.record(past.live)
    if live is None:
        return ()
    released = live.release.images
    return (*released, *find_others(place.name, place.namespace, released, place.target))


def _tell(found: tuple[Watched, ...], where: Mapping[ReleasedImage, list[Place]]) -> None:
    """Page about what is critical and new; it is new again where nobody could be told."""
    alarming = {name: None for each in found if each.found.critical for name in each.environments}
    application = next((there[0].application for there in where.values()), "")
    alarm = alarm_of(f"{', '.join(alarming)}/{application}", (each.found for each in found))
    told = True
    if alarm is not None:
        source = f"{'-'.join(alarming)}/{application}"
        told = send_page(Page(alarm.key, alarm.summary, source, (*alarm.lines, TO_DO)))
    for each in found:
        if told or not each.found.critical:
            keep_rescan(each.found)


def _named(places: list[Place]) -> str:
    return ", ".join(place.name for place in places)
