"""What runs is looked at by night; Trivy's findings are those that it left for this database."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.states import Paused, Running
from pydantic import TypeAdapter

from flows.night_views import night_page, summary
from flows.nights import find_hindrance
from flows.renewal import End, Renewal, image_changes
from flows.watch import Watched, watch
from tasks.approval.task import claim_environment
from tasks.core.application import ScanPolicy
from tasks.core.clock import utc_now
from tasks.core.model import Digest, Outcome
from tasks.core.paths import cache_dir
from tasks.fresh.model import Bump, Look, Part
from tasks.rollout.model import Place
from tasks.scan.alarm import Rescan
from tasks.scan.effects import folder_of
from tasks.scan.model import Finding, Findings, Kind, Severity
from tasks.scan.program import installed_trivy
from tests.unit.tasks.guard.stand_in import StandIn
from tests.unit.tasks.releases import RELEASE
from tests.unit.tasks.rollout.world import World, deployment, image, make_release

API = image("api")
ONE = make_release(deployment("api", "api@1"), images=(API,))
HOLE = Finding(Kind.VULNERABILITY, "CVE-1", Severity.CRITICAL, "hole", "openssl 3.0.1", "3.0.2")


def watched(world: World) -> tuple[Watched, ...]:
    """Look at what runs, in a night of its own."""
    found: list[Watched] = []

    @flow
    def night() -> None:
        found.extend(watch((world.place,), ScanPolicy()))

    night()
    return tuple(found)


def given_a_database_that_knows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    folder, now = cache_dir() / "trivy" / "db", utc_now().replace(microsecond=0)
    folder.mkdir(parents=True)
    (folder / "trivy.db").touch()
    (folder / "metadata.json").write_text(json.dumps({"Version": 2, "UpdatedAt": now.isoformat()}))
    kept = folder_of(API.digest) / f"running-{installed_trivy().version}-{now:%Y%m%dT%H%M%S}.json"
    kept.write_bytes(TypeAdapter(Findings).dump_json(Findings((HOLE,), packages=9)))


def test_a_new_critical_finding_in_what_runs_wakes_somebody_once(
    world: World, pager: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world.when_rolling_out(ONE)
    given_a_database_that_knows(monkeypatch, tmp_path)
    (first,), (second,) = watched(world), watched(world)
    (page,) = pager.heard
    assert page["payload"]["summary"] == (
        "prod/shop runs api: critical vulnerability CVE-1 (hole) in openssl 3.0.1, fixed in 3.0.2"
    )
    assert (len(first.found.critical), second.found.critical) == (1, ())


def test_it_is_new_again_where_nobody_could_be_told(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world.when_rolling_out(ONE)
    given_a_database_that_knows(monkeypatch, tmp_path)
    (first,), (second,) = watched(world), watched(world)
    assert first.found.critical == second.found.critical != ()


def test_without_a_database_that_is_said_and_nobody_is_woken_up(
    world: World, pager: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    world.when_rolling_out(ONE)
    (each,) = watched(world)
    assert (each.environments, each.found.outcome) == (("prod",), Outcome.NO_DATA)
    assert pager.heard == []


def hindrance(place: Place, *, waits: bool, over: bool = False) -> str | None:
    """Ask whether a night may touch an environment into which a person's run wants."""
    found: list[str | None] = []

    @flow(flow_run_name="shop@main")
    def delivery() -> None: ...

    @flow
    def night() -> None:
        with get_client(sync_client=True) as client:
            state: State[None] = Paused() if waits else Running()
            other = client.create_flow_run(delivery, name="shop@main", state=state)
            claim_environment("shop", "prod", str(other.id))
            if over:
                client.delete_flow_run(other.id)
        found.append(find_hindrance(place, 1))

    night()
    return found[0]


def test_an_environment_for_which_somebody_is_asked_is_left_alone(world: World) -> None:
    world.when_rolling_out(ONE)
    assert hindrance(world.place, waits=True) == "run shop@main waits for an approval"
    assert hindrance(world.place, waits=False) == "run shop@main wants in"
    assert hindrance(world.place, waits=True, over=True) is None


OLD, NEW = Digest(f"sha256:{'0' * 64}"), Digest(f"sha256:{'f' * 64}")
PART = Part("api", OLD, True, "node:22 is another image", (Bump("node:22", OLD, NEW),))  # noqa: FBT003
DEV = Renewal(
    "dev", End.ROLLED_OUT, "rollout 4: ready", "c" * 40, Look((PART,)), (("api", OLD, NEW),)
)
STAGING = Renewal("staging", End.SKIPPED, "run shop@main waits for an approval", "b" * 40)
PROD = Renewal("prod", End.SKIPPED, "comes after staging")


def test_a_night_is_told_in_one_line() -> None:
    assert summary((DEV, STAGING, PROD)) == (
        "dev: rolled out; staging: skipped (run shop@main waits for an approval); "
        "prod: skipped (comes after staging)"
    )


def test_a_report_shows_digests_reasons_and_what_is_not_clean() -> None:
    blind = Rescan("api", API.reference, API.digest, Outcome.NO_DATA, "no database")
    seen = replace(
        blind, component="web", outcome=Outcome.PASSED, said="2", new=("CVE-1",), gone=("CVE-0",),
        critical=("CVE-1",),
    )  # fmt: skip
    shown = night_page("shop", (DEV, STAGING), (Watched(("dev",), blind), Watched(("prod",), seen)))
    for line in (
        "| ✓ dev | rolled out | rollout 4: ready | `cccccccccccc` |",
        "| ○ staging | skipped | run shop@main waits for an approval | `bbbbbbbbbbbb` |",
        "- api: base `node:22` `sha256:000000000000` → `sha256:ffffffffffff`",
        "- api: image `sha256:000000000000` → `sha256:ffffffffffff`",
        "- ○ api in dev (`sha256:aaaaaaaaaaaa`): no database. **This is not a clean scan.**",
        "  - new: **CVE-1**",
        "  - gone: CVE-0",
    ):
        assert line in shown


def test_only_images_that_are_others_count_as_a_change() -> None:
    old = replace(RELEASE, images=(image("api", "a"), image("web", "a")))
    new = replace(RELEASE, images=(image("api", "a"), image("web", "b")))
    assert [each[0] for each in image_changes(old, new)] == ["web"]
    assert image_changes(old, old) == ()
