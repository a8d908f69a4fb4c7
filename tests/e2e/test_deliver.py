"""A commit's way to production, and what stays on the way."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tasks.core.paths import state_dir

if TYPE_CHECKING:
    from infra.server.client import RunView
    from tests.e2e.pipeline_world import Pipeline
    from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

CHECKS = ("web: lint", "web: test", "web: build", "web: smoke", "web: scan", "web: push")
HARMLESS = ("Readiness probe failed", "Startup probe failed")
"""Asked while Python was still starting; the kubelet goes on asking."""


@dataclass(frozen=True)
class Delivery:
    """A commit that went to prod, and the same commit again."""

    shop: "Shop"
    waiting: "RunView"
    untouched: bool
    done: "RunView"
    again: "RunView"


@pytest.fixture(scope="module")
def delivery(pipeline: "Pipeline") -> "Iterator[Delivery]":
    with pipeline.shop() as shop:
        waiting = pipeline.when_delivered(shop)
        untouched = shop.history("prod") == () and shop.pods("prod") == ()
        done = pipeline.when_approved(waiting.id)
        yield Delivery(shop, waiting, untouched, done, pipeline.when_delivered(shop))


def test_a_commit_reaches_dev_and_waits_before_prod(delivery: Delivery) -> None:
    assert delivery.waiting.state == "PAUSED", delivery.waiting.message
    assert delivery.untouched
    assert set(CHECKS) < {stage.name for stage in delivery.waiting.stages}


def test_an_approved_commit_reaches_prod(delivery: Delivery) -> None:
    assert delivery.done.state == "COMPLETED", delivery.done.message
    (record,) = delivery.shop.history("prod")
    assert (record.number, record.state.value) == (1, "succeeded")
    assert record.run == str(delivery.done.id)
    assert len(record.approved_by) == 1


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_pods_run_the_digest_that_was_scanned_and_recorded(
    delivery: Delivery, environment: str
) -> None:
    (record,) = delivery.shop.history(environment)
    (image,) = record.release.images
    scans = state_dir() / "scans" / image.digest.replace(":", "-")
    assert image.digest in (scans / "sbom.cdx.json").read_text()
    pods = delivery.shop.pods(environment)
    statuses = [status for pod in pods for status in pod["status"]["containerStatuses"]]
    assert {status["imageID"] for status in statuses} == {image.reference}
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {image.reference}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_public_route_answers(delivery: Delivery, environment: str) -> None:
    page = delivery.shop.get(environment)
    assert (page.status_code, environment in page.text) == (200, True)


def test_the_same_commit_again_does_nothing(delivery: Delivery) -> None:
    assert delivery.again.state == "COMPLETED", delivery.again.message
    did = {stage.name for stage in delivery.again.stages}
    assert did.isdisjoint(CHECKS)
    assert "web: unchanged?" in did
    for environment in ("dev", "prod"):
        assert delivery.shop.states(environment) == [(1, "succeeded")]
        assert delivery.shop.workload(environment)["metadata"]["generation"] == 1


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_no_event_warns(delivery: Delivery, environment: str) -> None:
    events = delivery.shop.objects(environment, "Event")
    warnings = [event for event in events if event["type"] == "Warning"]
    assert events
    assert [each for each in warnings if not each["message"].startswith(HARMLESS)] == []


def test_both_environments_have_their_own_configuration(delivery: Delivery) -> None:
    answers = [delivery.shop.get(name, "/health").text for name in ("dev", "prod")]
    assert [json.loads(answer)["status"] for answer in answers] == ["ok", "ok"]
    assert delivery.shop.config("prod") == {"Guestbook"}
