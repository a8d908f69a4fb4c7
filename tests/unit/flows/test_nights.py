"""Nights on a real Prefect server: registered, missed, and beside people's runs."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.server.schemas.schedules import CronSchedule

from deployments.forms import Offer
from deployments.nights import schedules
from deployments.register import register
from flows.nights import missed
from tasks.core.application import Application, Component, Environment
from tasks.core.nightly import Nightly, OwnNight

NIGHT = Nightly("30 1 * * *", "Europe/Lisbon")
ENVIRONMENTS = {
    "dev": Environment("deploy", "shop-dev"),
    "prod": Environment("deploy", "shop-prod", nightly=OwnNight(cron="0 5 * * *")),
}
SHOP = Application("shop", {"api": Component("api")}, ENVIRONMENTS, nightly=NIGHT)
TARGET = {
    "kubeconfig": "", "context": "", "registry": "", "builder": "", "docker_host": ""
}  # fmt: skip
OFFER = Offer("https://git.example/shop.git", SHOP, TARGET)
BEGIN = datetime(2026, 1, 5, 12, tzinfo=UTC)
MORNING = BEGIN + timedelta(days=3)


def due(client: SyncPrefectClient, deployment: UUID) -> list[FlowRun]:
    """Let the server plan three days, as it does ahead, and return the runs by their time."""
    wanted = {"start_time": BEGIN.isoformat(), "end_time": MORNING.isoformat(), "max_runs": 10}
    client._client.post(f"/deployments/{deployment}/schedule", json=wanted).raise_for_status()
    found = client.read_flow_runs()
    runs = [run for run in found if run.deployment_id == deployment]
    return sorted(runs, key=lambda run: run.expected_start_time or MORNING)


@pytest.mark.usefixtures("prefect")
def test_of_three_missed_nights_the_last_one_runs_and_each_environments_own() -> None:
    asyncio.run(register(TARGET, [OFFER]))
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("redeploy/shop")
        runs = due(client, deployment.id)
        by_hand = client.create_flow_run_from_deployment(deployment.id)
    dev = [run for run in runs if run.parameters["environments"] == ["dev"]]
    prod = [run for run in runs if run.parameters["environments"] == ["prod"]]
    assert [len(dev), len(prod)] == [3, 3]
    later = [missed(str(run.id), MORNING).later for run in (*dev, *prod)]
    last = [dev[-1].expected_start_time, prod[-1].expected_start_time]
    assert later == [last[0], last[0], None, last[1], last[1], None]
    assert missed(str(by_hand.id), MORNING).later is None, "what a person starts is always done"


@pytest.mark.usefixtures("prefect")
def test_a_night_that_is_not_due_yet_takes_nothing_over() -> None:
    asyncio.run(register(TARGET, [OFFER]))
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("redeploy/shop")
        first = due(client, deployment.id)[0]
    assert first.expected_start_time is not None
    assert missed(str(first.id), first.expected_start_time).later is None


def test_an_application_without_nights_has_no_schedule() -> None:
    shop = Application("shop", {"api": Component("api")}, {"dev": ENVIRONMENTS["dev"]})
    assert schedules(Offer("shop", shop, TARGET)) == ()


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(datetime(2026, 3, 28, tzinfo=UTC), "2026-03-29 01:30", id="01:30 is left out"),
        pytest.param(
            datetime(2026, 10, 24, tzinfo=UTC), "2026-10-25 00:30", id="01:30 comes twice"
        ),
        pytest.param(datetime(2026, 7, 1, tzinfo=UTC), "2026-07-02 00:30", id="in summer"),
        pytest.param(datetime(2026, 1, 1, tzinfo=UTC), "2026-01-02 01:30", id="in winter"),
    ],
)
def test_there_is_one_run_each_night_whatever_the_clocks_do(day: datetime, expected: str) -> None:
    plan = CronSchedule(cron=NIGHT.cron, timezone=NIGHT.tz)
    noon = day + timedelta(hours=12)
    (found,) = asyncio.run(plan.get_dates(10, start=noon, end=noon + timedelta(days=1)))
    assert f"{found.astimezone(UTC):%Y-%m-%d %H:%M}" == expected
