"""A run that was cancelled and goes on only to clear up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect import Flow, flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import Abort
from prefect.flow_engine import run_flow
from prefect.states import Cancelled, Running, Scheduled

from deployments.catalogue import CATALOGUE
from flows.clearing import CLEARED, CLEARING, CLEARS, RECOVERING, clear_up, is_clearing
from flows.telling import telling
from tasks.core.kept import RECORD, RECORD_TYPE
from tasks.core.record import RolloutState
from tasks.notify.ports import Channel
from tasks.rollout.history import history
from tasks.rollout.model import By, Place
from tests.unit.flows.test_telling import Town
from tests.unit.tasks.rollout.test_canary import ONE, TWO
from tests.unit.tasks.rollout.test_make_way import GATED
from tests.unit.tasks.rollout.world import World

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def lived(*names: str) -> list[State[object]]:
    """Return states by `TYPE` or `TYPE name`, a second apart."""
    words = (name.partition(" ") for name in names)
    return [
        State(type=StateType(kind), name=name or kind, timestamp=NOW + timedelta(seconds=number))
        for number, (kind, _, name) in enumerate(words)
    ]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param((), False, id="nothing is known"),
        pytest.param(("SCHEDULED", "PENDING", "RUNNING"), False, id="a run as any other"),
        pytest.param(
            ("RUNNING", "CANCELLED", f"SCHEDULED {CLEARING}", "PENDING", "RUNNING"),
            True,
            id="cancelled, and started once more",
        ),
        pytest.param(
            (f"SCHEDULED {CLEARING}", "RUNNING", "CRASHED", f"SCHEDULED {RECOVERING}", "RUNNING"),
            True,
            id="killed while it cleared up",
        ),
        pytest.param(
            ("CANCELLED", f"SCHEDULED {CLEARING}", "PENDING", "CANCELLED", "RUNNING"),
            True,
            id="Prefect says twice that it is cancelled",
        ),
        pytest.param(
            (f"SCHEDULED {CLEARING}", "RUNNING", f"CANCELLED {CLEARED}", "SCHEDULED", "RUNNING"),
            False,
            id="somebody tries it again by hand",
        ),
        pytest.param(
            (f"SCHEDULED {CLEARING}", "SCHEDULED Late", "SCHEDULED AwaitingConcurrencySlot"),
            True,
            id="late, and without a free slot",
        ),
        pytest.param(
            (f"SCHEDULED {CLEARING}", f"CANCELLED {CLEARED}", "SCHEDULED AwaitingRetry"),
            False,
            id="tried again in the UI",
        ),
        pytest.param(
            ("SCHEDULED", "PAUSED", "FAILED", f"SCHEDULED {RECOVERING}", "RUNNING"),
            False,
            id="never answered",
        ),
    ],
)
def test_whether_a_run_goes_on_only_to_clear_up(
    states: tuple[str, ...],
    expected: bool,  # noqa: FBT001
) -> None:
    assert is_clearing(reversed(lived(*states))) is expected


def test_the_flows_that_clear_up_are_in_the_catalogue() -> None:
    assert set(CLEARS) <= {entry.name for entry in CATALOGUE}


def bring_into(*places: Place) -> Flow[[], None]:
    """Return a flow that clears up, or fails loudly: a cancelled run does nothing else."""

    @flow
    @telling()
    def bring_in() -> None:
        clear_up(*places)
        raise AssertionError("a cancelled run went on")

    return bring_in


def when_cancelled(run: UUID, client: SyncPrefectClient) -> None:
    states: tuple[State[object], ...] = (Running(), Cancelled(), Scheduled(name=CLEARING))
    for state in states:
        client.set_flow_run_state(run, state, force=True)


def cleared(run: UUID, flow: Flow[[], None]) -> State[object]:
    """Let a run that was cancelled go on as the worker does, and return its last state."""
    with get_client(sync_client=True) as client:
        when_cancelled(run, client)
        with pytest.raises(Abort):
            run_flow(flow, flow_run=client.read_flow_run(run))
        found = client.read_flow_run(run).state
    assert found is not None
    return found


def begun(flow: Flow[[], None]) -> UUID:
    with get_client(sync_client=True) as client:
        return client.create_flow_run(flow).id


@pytest.fixture
def town(world: World, monkeypatch: pytest.MonkeyPatch) -> Town:  # noqa: ARG001 its server comes first
    found = Town()
    channel = Channel("town", found.hears, found.connect)
    monkeypatch.setattr("tasks.notify.effects.CHANNELS", (channel,))
    return found


def test_a_cancelled_run_takes_its_canary_back_and_says_so(world: World, town: Town) -> None:
    bring_in = bring_into(world.place)
    run = begun(bring_in)
    world.strategy = GATED
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO, By(run=str(run)))
    state = cleared(run, bring_in)
    assert (state.type, state.name) == (StateType.CANCELLED, CLEARED)
    assert "rollout 2 superseded: cancelled by a person" in str(state.message)
    states = [each.state for each in history(world.place, world.cluster)]
    assert states == [RolloutState.SUPERSEDED, RolloutState.SUCCEEDED]
    rollout, question = town.heard
    assert rollout.startswith("prod: inactive, cancelled by a person; rollout 1 (r-")
    assert question == "run for prod: inactive, cancelled by a person"


def unreadable(world: World) -> Place:
    """Return an environment whose history cannot be read."""
    metadata = {"name": "r", "namespace": "gone", "labels": {RECORD: "rollout"}}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": RECORD_TYPE, "metadata": metadata}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gone"}}
    for thing in (namespace, secret):
        world.cluster.create(thing)
    environment = replace(world.place.environment, namespace="gone")
    return replace(world.place, name="gone", environment=environment)


def test_what_cannot_be_cleared_up_in_one_environment_keeps_no_other_from_it(world: World) -> None:
    gone = unreadable(world)
    bring_in = bring_into(gone, world.place, gone)
    run = begun(bring_in)
    world.strategy = GATED
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO, By(run=str(run)))
    with get_client(sync_client=True) as client:
        when_cancelled(run, client)
        with pytest.raises(KeyError):
            run_flow(bring_in, flow_run=client.read_flow_run(run))
    newest = history(world.place, world.cluster)[0]
    assert newest.state is RolloutState.SUPERSEDED


def test_a_cancelled_run_that_had_begun_nothing_only_ends(world: World) -> None:
    world.when_rolling_out(ONE)
    bring_in = bring_into(world.place)
    state = cleared(begun(bring_in), bring_in)
    expected = "cancelled by a person; it had rolled out nothing"
    assert (state.name, state.message) == (CLEARED, expected)
