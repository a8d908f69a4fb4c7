"""The live release of one environment, on fresh base images."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from prefect.runtime import flow_run

from flows.images import make_images
from flows.nights import find_hindrance
from flows.promote import Wishes, promote
from tasks.core.application import Application
from tasks.core.model import Outcome, Release, ReleasedImage, Source
from tasks.core.nights import automatic_in, nightly_of
from tasks.core.record import Record, RolloutState
from tasks.core.target import Target
from tasks.fresh.decide import renewed
from tasks.fresh.model import Look
from tasks.fresh.task import look_for_newer_bases
from tasks.release.task import assemble, draft_release
from tasks.reuse import Delivered
from tasks.reuse.task import keep_delivered
from tasks.rollout.model import Place
from tasks.rollout.place import place_of
from tasks.rollout.task import read_past
from tasks.source.task import fetch_source

__all__ = ["End", "Renewal", "Tonight", "image_changes", "renew"]

ACTOR = "nightly"


class End(StrEnum):
    """What became of an environment."""

    ROLLED_OUT = "rolled out"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    UNDER_WAY = "under way"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Tonight:
    """What a run works with.

    Attributes:
        application: as the newest commit of the default branch describes it; of it are what a
            night may do and when nothing may be rolled out, all else is the live commit's.
    """

    repository: str
    application: Application
    target: Target


@dataclass(frozen=True, slots=True)
class Renewal:
    """One environment in the report.

    Attributes:
        reason: in one sentence.
        commit: that is live there; empty where nothing is.
        look: its components and their base images.
        images: component, digest before and digest now, where they differ.
    """

    environment: str
    end: End
    reason: str
    commit: str = ""
    look: Look = field(default_factory=Look)
    images: tuple[tuple[str, str, str], ...] = ()

    @property
    def goes_on(self) -> bool:
        """Whether the environments behind this one may get what this one has."""
        return self.end in {End.ROLLED_OUT, End.UNCHANGED}


@dataclass(frozen=True, slots=True)
class _Built:
    """A release on fresh base images, what was made for it, and what it was made for."""

    live: Record
    source: Source
    release: Release
    draft: Release
    made: tuple[Delivered, ...]


def renew(name: str, tonight: Tonight) -> Renewal:
    """Build again what stands on older base images than today's, and roll it out.

    Args:
        name: of the environment.
        tonight: what the run works with.
    """
    place = place_of(tonight.application, name, tonight.target)
    past = read_past(place)
    live = past.record(past.live)
    if live is None:
        return Renewal(name, End.UNCHANGED, "nothing runs there yet")
    told = Renewal(name, End.SKIPPED, "", live.release.commit)
    if hindered := find_hindrance(place, live.number):
        return replace(told, reason=hindered)
    source = fetch_source(tonight.repository, live.release.commit)
    nightly = nightly_of(tonight.application, name)
    refresh = nightly.refresh if nightly else ()
    look = look_for_newer_bases(name, source, live.release.images, tonight.target, refresh)
    told = replace(told, look=look)
    if not look.stale:
        return replace(told, end=End.UNCHANGED, reason="every base image is the one of today")
    return _brought(_built(source, live, look, tonight.target), told, place, tonight)


def _brought(built: _Built, told: Renewal, place: Place, tonight: Tonight) -> Renewal:
    """Roll out what was built, unless there is nothing new in it or something came between."""
    live = built.live
    told = replace(told, images=image_changes(live.release, built.release))
    if not told.images:
        return replace(told, end=End.UNCHANGED, reason="built again, to the same images")
    if built.release.id in read_past(place).bad:
        return replace(told, reason=f"{built.release.id} was taken back here before")
    if hindered := find_hindrance(place, live.number):
        return replace(told, reason=hindered)
    record = _rolled_out(built, place, tonight)
    end = End.ROLLED_OUT if record.state is RolloutState.SUCCEEDED else End.FAILED
    return replace(told, end=end, reason=f"rollout {record.number}: {record.reason}")


def image_changes(old: Release, new: Release) -> tuple[tuple[str, str, str], ...]:
    """Return component, old and new digest of each image that is another one."""
    digests = {image.component: image.digest for image in old.images}
    return tuple(
        (image.component, digests.get(image.component, ""), image.digest)
        for image in new.images
        if image.digest != digests.get(image.component)
    )


def _built(source: Source, live: Record, look: Look, target: Target) -> _Built:
    draft = draft_release(source, target)
    flags = {part.component: part.flags for part in look.stale}
    made = make_images(renewed(source, look.stale, str(flow_run.id)), draft, target, flags)
    fresh = {each.image.component: each for each in made}
    images = _with(live.release.images, {name: each.image for name, each in fresh.items()})
    names = [component.name for component in source.components]
    said = dict(zip(names, live.release.scan, strict=False))
    said |= {name: each.scan.verdict.reason for name, each in fresh.items()}
    scans = tuple(said[name] for name in names if name in said)
    return _Built(live, source, assemble(draft, images, source, target, scans), draft, made)


def _with(
    images: tuple[ReleasedImage, ...], fresh: Mapping[str, ReleasedImage]
) -> tuple[ReleasedImage, ...]:
    return tuple(fresh.get(image.component, image) for image in images)


def _rolled_out(built: _Built, place: Place, tonight: Tonight) -> Record:
    """Take a release through the gates; what runs well is what deliveries use from then on."""
    wishes = Wishes(
        tonight.target,
        repository=tonight.repository,
        onto=built.live.number,
        unasked=_is_unasked(built, place, tonight),
        actor=ACTOR,
    )
    record = promote(built.release, place.name, built.source.application, wishes)
    if record.state is RolloutState.SUCCEEDED:
        for each in built.made:
            keep_delivered(built.source, each.image, each.scan, tonight.target, built.draft)
    return record


def _is_unasked(built: _Built, place: Place, tonight: Tonight) -> bool:
    """Say whether nobody is asked: it is allowed, the code is the same, every scan has passed."""
    passed = all(each.scan.verdict.outcome is Outcome.PASSED for each in built.made)
    return passed and automatic_in(place.name, built.source.application, tonight.application)
