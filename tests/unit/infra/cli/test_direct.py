import getpass
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pyotp
import pytest

from flows.deeds import UNWRITTEN
from infra.cli.direct import Person, recorded_place, roll_back_here
from infra.cli.origin import own_origin
from tasks.approval import SecretApprovers, enrol
from tasks.audit.decide import read_entry
from tasks.audit.effects import fetch
from tasks.core.cluster import WRITE, Applied, ApplyOptions, Scope
from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import ConfigError, GateClosed, StageFailed, Unavailable
from tasks.core.gates import Approval
from tasks.core.objects import Kind, Object
from tasks.core.record import RolloutState
from tasks.core.target import Target
from tasks.rollout.history import history
from tasks.rollout.model import Back, By
from tasks.rollout.plan import plan
from tasks.rollout.roll_out import roll_out
from tests.unit.tasks.guard.stand_in import paging_goes_to, standing_in
from tests.unit.tasks.rollout.world import World, config_map, deployment, make_release

ONE = make_release(config_map("one", a="1"), deployment("api", "api@1", config="one"))
TWO = make_release(config_map("two", a="2"), deployment("api", "api@2", config="two"))
TARGET = Target("kubeconfig", "ctx", "r", "b", "d")
EVERYTHING = Scope((Kind("apps/v1", "Deployment"), Kind("v1", "Secret")), "shop")


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))


def given_two_rollouts(approval: Approval | None = None) -> World:
    world = World()
    place = replace(world.place, environment=replace(world.place.environment, approval=approval))
    for number, release in enumerate((ONE, TWO)):
        by = By(f"run-{number}", plan=plan(release, place, world.cluster).id)
        roll_out(release, place, by, world.ports)
    return world


def trail(world: World) -> list[tuple[str, str, str, str]]:
    """Return what was written down: the act, by whom, how that is known, and why."""
    deeds = [entry.deed for entry in map(read_entry, fetch(world.cluster, "shop")) if entry]
    assert {deed.origin for deed in deeds} <= {own_origin()}
    return [(deed.act.value, deed.actor, deed.proof.value, deed.reason) for deed in deeds]


def _away(*_: object) -> NoReturn:
    raise Unavailable("does not answer", where="the cluster")


def code_of(secret: str, world: World) -> str:
    return str(pyotp.TOTP(secret).at(world.cluster.clock.now()))


def test_a_rollback_needs_nothing_but_the_cluster_and_says_who_did_it() -> None:
    world = given_two_rollouts()
    record = roll_back_here(world.place, Back("they suffer"), Person(), world.ports)
    assert (record.restores, record.state) == (1, RolloutState.SUCCEEDED)
    assert (record.actor, record.approved_by) == (getpass.getuser(), ())
    assert record.run.startswith("direct-")
    assert world.image_of("api") == "api@1"


def test_an_approver_proves_who_they_are_by_the_same_code_as_in_a_form() -> None:
    world = given_two_rollouts(Approval(("ana",), count=2))
    secret = enrol("ana", ("ana@example.com",), SecretApprovers(world.cluster))
    person = Person("ana", code_of(secret, world))
    record = roll_back_here(world.place, Back("they suffer"), person, world.ports)
    assert (record.restores, record.approved_by) == (1, ("ana",))
    assert trail(world) == [
        ("approved", "ana", "totp", "ana said yes"),
        ("rolled back", getpass.getuser(), "cli", "they suffer"),
    ]


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        pytest.param("ana", "000000", "wrong code of ana", id="a wrong code"),
        pytest.param("eve", "000000", "eve is no approver of prod", id="somebody else"),
    ],
)
def test_without_an_approver_nothing_is_touched(name: str, code: str, why: str) -> None:
    world = given_two_rollouts(Approval(("ana",)))
    enrol("ana", ("ana@example.com",), SecretApprovers(world.cluster))
    before = world.cluster.find(EVERYTHING)
    with pytest.raises(GateClosed, match=why):
        roll_back_here(world.place, Back("they suffer"), Person(name, code), world.ports)
    assert world.cluster.find(EVERYTHING) == before
    assert trail(world) == [("answer refused", name, "none", why)]


def test_a_rollback_that_cannot_be_written_down_is_done_and_its_record_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = given_two_rollouts()
    create = FakeCluster.create

    def full(cluster: FakeCluster, thing: Object) -> Object:
        if thing["metadata"]["name"].startswith("slipway-audit"):
            raise ConfigError("exceeded quota", where="ConfigMap")
        return create(cluster, thing)

    monkeypatch.setattr(FakeCluster, "create", full)
    record = roll_back_here(world.place, Back("they suffer"), Person(), world.ports)
    assert record.state is RolloutState.SUCCEEDED
    assert history(world.place, world.cluster)[0].moments[-1].what == UNWRITTEN


def test_nobody_at_the_terminal_reads_the_question_and_what_to_give_instead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = given_two_rollouts(Approval(("ana",)))
    with Path("/dev/null").open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        with pytest.raises(ConfigError, match=r"Approver is missing.*--as NAME"):
            roll_back_here(world.place, Back("they suffer"), Person(), world.ports)
    assert "Changes: 1 new, 1 changed, 1 deleted" in capsys.readouterr().err


def test_a_rollback_that_fails_says_how_to_finish_by_hand() -> None:
    world = given_two_rollouts()
    world.behaviour["api@1"] = "crash"
    with pytest.raises(StageFailed, match=r"the rollback failed: .*slipway rollback prod --reason"):
        roll_back_here(world.place, Back("they suffer"), Person(), world.ports)
    newest = history(world.place, world.cluster)[0]
    assert (newest.restores, newest.state) == (1, RolloutState.RESTORED)
    assert newest.moments[-1].what.startswith("paged: prod/shop: the rollback of")
    assert world.image_of("api") == "api@2"


def test_a_cluster_that_stays_away_is_a_failed_rollback_and_somebody_is_woken_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = given_two_rollouts()
    monkeypatch.setattr(FakeCluster, "apply", _away)
    with standing_in() as pagerduty:
        paging_goes_to(pagerduty, tmp_path)
        with pytest.raises(StageFailed, match=r"the rollback failed: .*does not answer"):
            roll_back_here(world.place, Back("they suffer"), Person(), world.ports)
    (page,) = pagerduty.heard
    assert "does not answer" in page["payload"]["summary"]


def test_a_cluster_that_is_away_for_a_moment_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = given_two_rollouts()
    answers, asked = FakeCluster.apply, []

    def once_away(cluster: FakeCluster, thing: Object, options: ApplyOptions = WRITE) -> Applied:
        asked.append(thing)
        return _away() if len(asked) == 1 else answers(cluster, thing, options)

    monkeypatch.setattr(FakeCluster, "apply", once_away)
    record = roll_back_here(world.place, Back("they suffer"), Person(), world.ports)
    assert (record.restores, record.state) == (1, RolloutState.SUCCEEDED)


def test_killed_half_way_and_said_again_it_goes_on() -> None:
    world = given_two_rollouts()
    with world.killed_after(8):
        roll_back_here(world.place, Back("they suffer"), Person(), world.ports)
    record = roll_back_here(world.place, Back("they suffer"), Person(), world.ports)
    assert (record.number, record.restores, record.state) == (3, 1, RolloutState.SUCCEEDED)


def test_without_slipway_yaml_the_records_say_whose_the_namespace_is() -> None:
    world = given_two_rollouts()
    place = recorded_place("prod", "shop", TARGET, world.cluster)
    assert (str(place), place.namespace) == ("prod/shop", "shop")
    assert roll_back_here(place, Back("they suffer"), Person(), world.ports).restores == 1


@pytest.mark.parametrize(("environment", "namespace"), [("dev", "shop"), ("prod", "other")])
def test_a_namespace_without_records_of_the_environment_is_refused(
    environment: str, namespace: str
) -> None:
    world = given_two_rollouts()
    with pytest.raises(ConfigError, match=f"holds no record of a rollout into {environment}"):
        recorded_place(environment, namespace, TARGET, world.cluster)
