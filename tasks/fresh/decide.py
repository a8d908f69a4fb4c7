"""Which components are to be built again, and whether their environment may be touched now."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tasks.core.bases import Base
from tasks.core.calendar import Closed
from tasks.core.config.dockerfile import parse_dockerfile
from tasks.core.errors import ConfigError
from tasks.core.model import ComponentSource, Digest, ReleasedImage, Source
from tasks.core.past import Past
from tasks.core.record import RolloutState
from tasks.fresh.model import Bump, Claim, Part

__all__ = [
    "Now",
    "chosen",
    "compare",
    "hindrance",
    "moving",
    "renewed",
    "superseded_by",
    "to_refresh",
]


@dataclass(frozen=True, slots=True)
class Now:
    """What an environment is like at this moment.

    Attributes:
        past: its history.
        closed: the freeze that holds, or the window that is not open; None where it is open.
        claim: another run that wants into it.
        is_ours: the run that asks has claimed it: people are asked, and may open what is closed.
    """

    past: Past
    closed: Closed | None = None
    claim: Claim | None = None
    is_ours: bool = False


def moving(known: Iterable[Base]) -> tuple[str, ...]:
    """Return the base images that may be others today: a digest in a Dockerfile never is."""
    return tuple(dict.fromkeys(each.reference for each in known if not each.pinned))


def to_refresh(dockerfile: str, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return those of the stages that a Dockerfile has."""
    targets = parse_dockerfile(dockerfile).targets
    return tuple(stage for stage in wanted if stage.lower() in targets)


def compare(
    image: ReleasedImage,
    known: tuple[Base, ...] | None,
    today: Mapping[str, Digest],
    refresh: tuple[str, ...] = (),
) -> Part:
    """Hold what a live image was built on against today.

    Args:
        image: as the live release has it.
        known: what it was built on, None where nobody knows any more.
        today: digest by reference.
        refresh: stages of its Dockerfile that are built without the cache.
    """
    now = {each: _today(each, today) for each in known or ()}
    bumps = tuple(
        Bump(each.reference, each.digest, digest)
        for each, digest in now.items()
        if digest != each.digest
    )
    bases = {f"{each.reference}@{digest}" for each, digest in now.items()}
    return Part(
        component=image.component,
        image=image.digest,
        is_stale=bool(bumps or refresh) or known is None,
        why=_why(known, bumps, refresh),
        bumps=bumps,
        bases=tuple(sorted(bases)),
        refresh=refresh,
    )


def _today(base: Base, today: Mapping[str, Digest]) -> Digest:
    return base.digest if base.pinned else today.get(base.reference, base.digest)


def _why(known: tuple[Base, ...] | None, bumps: tuple[Bump, ...], refresh: tuple[str, ...]) -> str:
    if known is None:
        return "what it was built on is not known here, so it is built again"
    reasons = [f"{bump.reference} is another image" for bump in bumps]
    reasons += [f"{stage} is refreshed" for stage in refresh]
    if reasons:
        return ", ".join(reasons)
    names = ", ".join(each.reference for each in known) or "no base image"
    return f"built on today's {names}"


def renewed(source: Source, parts: Iterable[Part], night: str) -> Source:
    """Return the stale components of a tree, each with its base images in its content's hash.

    So what is built of them is found again tonight, and not mistaken for what a delivery built.

    Args:
        source: the live commit.
        parts: of its components.
        night: names the run; a refreshed stage has no content, so it is another one each night.
    """
    stale = {each.component: each for each in parts if each.is_stale}
    return replace(
        source,
        components=tuple(
            _on_bases(each, stale[each.name], night)
            for each in source.components
            if each.name in stale
        ),
    )


def _on_bases(component: ComponentSource, part: Part, night: str) -> ComponentSource:
    is_open = bool(part.refresh) or not part.bases
    words = [component.content, *part.bases, night if is_open else ""]
    return replace(component, content=hashlib.sha256(json.dumps(words).encode()).hexdigest())


def hindrance(now: Now, live: int, run: str) -> str | None:
    """Say why an environment is left alone tonight; None where nothing speaks against it.

    People's runs go first, whatever they do: a night can wait for the next one.

    Args:
        now: what the environment is like.
        live: number of the rollout that was live when the run began.
        run: id of the run that asks.
    """
    past = now.past
    if any(record.run == run for record in past.records):  # it was let in and went on
        return None
    newest = past.newest
    if now.claim is not None:
        does = "waits for an approval" if now.claim.waits else "wants in"
        return f"run {now.claim.run} {does}"
    if newest is not None and newest.state is RolloutState.STARTED:
        return f"rollout {newest.number} of run {newest.run or 'by hand'} is under way"
    if past.live != live:
        return f"rollout {past.live} came while this run built"
    return now.closed.reason if now.closed and not now.is_ours else None


def chosen(
    known: tuple[str, ...], one: str | None, several: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Return the environments that a run is about, in the order of promotion.

    Args:
        known: every environment of the application.
        one: the only one; goes before several.
        several: those of a schedule; one that is not there any more is passed over.

    Raises:
        ConfigError: there is none of that name.
    """
    if one is not None and one not in known:
        raise ConfigError(
            f"no environment {one!r}",
            where="environment",
            next_step=f"choose one of {', '.join(known)}",
        )
    wanted = (one,) if one is not None else several or known
    return tuple(name for name in known if name in wanted)


def superseded_by(expected: datetime, others: Iterable[datetime], now: datetime) -> datetime | None:
    """Return the night that does this one's work too: the newest that is due; None for the newest.

    Nights that were missed, because worker or server were away, then run once.

    Args:
        expected: when this run should have started.
        others: when other runs of the same schedule should have, or should yet.
        now: aware instant.
    """
    later = [each for each in others if expected < each <= now]
    return max(later, default=None)
