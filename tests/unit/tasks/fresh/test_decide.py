from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.core.application import Application, Component, Environment
from tasks.core.bases import Base
from tasks.core.calendar import Closed
from tasks.core.model import ComponentSource, Digest, ReleasedImage, Source
from tasks.core.past import Past
from tasks.core.record import Record, RolloutState
from tasks.core.slos import Slos
from tasks.core.strategy import RollbackRules
from tasks.fresh.decide import Now, compare, hindrance, moving, renewed, superseded_by, to_refresh
from tasks.fresh.model import Bump, Claim, Part
from tests.unit.tasks.releases import NOON, RECORD

OLD, NEW = Digest(f"sha256:{'0' * 64}"), Digest(f"sha256:{'f' * 64}")
IMAGE = ReleasedImage("api", "registry/shop-api", OLD)
NODE = Base("node:22", OLD)
RUN = "11111111-1111-1111-1111-111111111111"


@pytest.mark.parametrize(
    ("known", "today", "refresh", "is_stale", "why"),
    [
        pytest.param((NODE,), {"node:22": OLD}, (), False, "built on today's node:22", id="same"),
        pytest.param((NODE,), {"node:22": NEW}, (), True, "node:22 is another image", id="newer"),
        pytest.param((), {}, (), False, "built on today's no base image", id="from scratch: never"),
        pytest.param(
            None,
            {},
            (),
            True,
            "what it was built on is not known here, so it is built again",
            id="not known: never taken for fresh",
        ),
        pytest.param(
            (replace(NODE, pinned=True),),
            {"node:22": NEW},
            (),
            False,
            "built on today's node:22",
            id="pinned by digest: never",
        ),
        pytest.param(
            (NODE,), {"node:22": OLD}, ("deps",), True, "deps is refreshed", id="asked: always"
        ),
    ],
)
def test_a_component_is_built_again_where_its_base_is_another_one_or_it_is_asked_for(
    known: tuple[Base, ...] | None,
    today: dict[str, Digest],
    refresh: tuple[str, ...],
    is_stale: bool,  # noqa: FBT001 a column of the table
    why: str,
) -> None:
    part = compare(IMAGE, known, today, refresh)
    assert (part.is_stale, part.why) == (is_stale, why)


def test_a_digest_bump_is_told_with_both_digests() -> None:
    assert compare(IMAGE, (NODE,), {"node:22": NEW}).bumps == (Bump("node:22", OLD, NEW),)


def test_nobody_is_asked_about_a_digest_that_a_dockerfile_names_itself() -> None:
    assert moving((NODE, Base("alpine:3", OLD, pinned=True), NODE)) == ("node:22",)


def test_only_stages_that_a_dockerfile_has_are_refreshed() -> None:
    assert to_refresh("FROM node:22 AS Deps\nFROM deps AS runtime\n", ("deps", "wheels")) == (
        "deps",
    )


def source() -> Source:
    application = Application(
        "shop",
        {"api": Component("api"), "web": Component("web")},
        {"prod": Environment("deploy", "shop-prod")},
    )
    parts = (ComponentSource("api", "a"), ComponentSource("web", "w"))
    return Source(
        "shop", "c" * 40, str(Path()), "Dora", "d@example.com", "x", NOON, application, parts
    )


def part(name: str = "api", *bases: str, **changes: object) -> Part:
    return replace(Part(name, OLD, is_stale=True, why="", bases=bases), **changes)  # type: ignore[arg-type]


def test_only_what_is_stale_is_built() -> None:
    parts = (part("api", "node:22@x"), part("web", is_stale=False))
    assert [each.name for each in renewed(source(), parts, RUN).components] == ["api"]


def content(*parts: Part, night: str = RUN) -> str:
    return renewed(source(), parts, night).components[0].content


def test_what_was_built_on_the_same_base_images_is_found_again_in_another_night() -> None:
    fresh = part("api", "node:22@new")
    assert content(fresh) == content(fresh, night="another")
    assert content(fresh) != content(part("api", "node:22@newer"))
    assert content(fresh) != "a", "a delivery's own is not mistaken for it"


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param(part("api", "node:22@new", refresh=("deps",)), id="a refreshed stage"),
        pytest.param(part("api"), id="unknown base images"),
    ],
)
def test_what_has_no_key_is_built_in_every_night(unknown: Part) -> None:
    assert content(unknown) != content(unknown, night="another")


def test_buildx_pulls_and_leaves_the_cache_of_what_is_refreshed() -> None:
    assert part(refresh=("deps", "wheels")).flags == (
        "--pull",
        "--no-cache-filter=deps",
        "--no-cache-filter=wheels",
    )


def past(*records: Record, live: int = 7) -> Past:
    return Past(records or (RECORD,), live, None, (), RollbackRules(), None, Slos())


UNDER_WAY = replace(RECORD, number=8, state=RolloutState.STARTED, run="r8", finished_at=None)
MONDAY = datetime(2026, 1, 5, 8, tzinfo=UTC)
FROZEN = Closed("frozen until Mon 2026-01-05 08:00 UTC", MONDAY)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(Now(past()), None, id="nothing speaks against it"),
        pytest.param(
            Now(past(), claim=Claim("shop@main", waits=True)),
            "run shop@main waits for an approval",
            id="a waiting approval is left alone",
        ),
        pytest.param(
            Now(past(), claim=Claim("shop@main", waits=False)),
            "run shop@main wants in",
            id="a run that was just approved is left alone",
        ),
        pytest.param(
            Now(past(UNDER_WAY, RECORD)),
            "rollout 8 of run r8 is under way",
            id="a rollout under way is left alone",
        ),
        pytest.param(
            Now(past(replace(UNDER_WAY, restores=6, run=""), RECORD)),
            "rollout 8 of run by hand is under way",
            id="a rollback under way is left alone",
        ),
        pytest.param(
            Now(past(live=8)),
            "rollout 8 came while this run built",
            id="a newer release is not taken back",
        ),
        pytest.param(
            Now(past(), closed=FROZEN),
            FROZEN.reason,
            id="frozen",
        ),
        pytest.param(
            Now(past(), closed=FROZEN, is_ours=True),
            None,
            id="an overrider whom this run has asked may have opened it",
        ),
        pytest.param(
            Now(past(live=8), closed=FROZEN, is_ours=True),
            "rollout 8 came while this run built",
            id="but a newer release is not taken back then either",
        ),
        pytest.param(
            Now(past(replace(UNDER_WAY, run=RUN), RECORD), FROZEN),
            None,
            id="what this run has begun it brings to its end",
        ),
    ],
)
def test_an_environment_in_which_people_are_at_work_is_left_alone(
    now: Now, expected: str | None
) -> None:
    assert hindrance(now, 7, RUN) == expected


NIGHTS = [NOON + timedelta(days=day) for day in range(4)]


@pytest.mark.parametrize(
    ("expected", "now", "newer"),
    [
        pytest.param(NIGHTS[0], NIGHTS[3], NIGHTS[3], id="three days away: the first gives way"),
        pytest.param(NIGHTS[2], NIGHTS[3], NIGHTS[3], id="and so does the last but one"),
        pytest.param(NIGHTS[3], NIGHTS[3], None, id="the newest runs"),
        pytest.param(NIGHTS[0], NIGHTS[0], None, id="nights to come do not count"),
    ],
)
def test_missed_nights_run_once(expected: datetime, now: datetime, newer: datetime | None) -> None:
    assert superseded_by(expected, NIGHTS, now) == newer
