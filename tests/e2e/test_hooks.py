"""Migrations on the lab: Jobs before and after a release, and releases with no way back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.core.record import RolloutState
from tasks.core.strategy import Canary, Hook, Hooks, Rolling, Strategy
from tests.e2e.rollout_world import World
from tests.e2e.routed_world import (
    Load,
    given_live,
    routed_world,
    then_nothing_is_left_of_the_canary,
    version,
)

pytestmark = [pytest.mark.e2e, pytest.mark.independent]

DEADLINE = timedelta(seconds=60)
STRATEGIES = {
    "rolling": Strategy(rolling=Rolling(deadline=DEADLINE)),
    "canary": Strategy(
        canary=Canary(steps=(50, 100), bake=timedelta(seconds=2), deadline=DEADLINE)
    ),
}
JOB = """\
---
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      volumes: [{{name: www, configMap: {{name: api}}}}]
      containers:
        - name: main
          image: toy-api
          command: [sh, -c, "cat /www/version; {command}"]
          volumeMounts: [{{name: www, mountPath: /www}}]
"""


@pytest.fixture(
    params=[STRATEGIES["rolling"], pytest.param(STRATEGIES["canary"], marks=pytest.mark.soak)],
    ids=["rolling", "canary"],
)
def shop(request: pytest.FixtureRequest, tmp_path: Path, lab: object) -> Iterator[World]:
    del lab  # it has to be up, and says where it is in its state folder
    with routed_world(tmp_path) as made:
        made.strategy = request.param
        made.hooks = Hooks(
            before=(Hook("expand", deadline=DEADLINE),),
            after=(Hook("contract", deadline=DEADLINE),),
        )
        yield made


def given_jobs(shop: World, expand: str = "true", contract: str = "true") -> None:
    """Put both Jobs into the manifests of the next release."""
    routed = shop.extra.split("---\napiVersion: batch/v1")[0].rstrip() + "\n"
    jobs = {"expand": expand, "contract": contract}
    shop.extra = routed + "".join(
        JOB.format(name=name, command=command) for name, command in jobs.items()
    )


def moment(shop: World, *path: str) -> str:
    """Return an instant of a Job."""
    found = shop.objects("batch/v1", "Job")[path[0]]["status"]
    return str(found[path[1]])


def test_expand_ends_before_any_pod_starts_and_contract_begins_when_the_old_are_gone(
    shop: World,
) -> None:
    given_jobs(shop)
    given_live(shop)
    old = set(shop.objects("apps/v1", "ReplicaSet"))
    with Load(shop).running() as load:
        record = shop.roll_out(version(shop, 2))
    assert record.state is RolloutState.SUCCEEDED, record.reason
    assert load.failures(record) == []
    made = [
        each["metadata"]["creationTimestamp"]
        for name, each in shop.objects("apps/v1", "ReplicaSet").items()
        if name not in old
    ]
    assert moment(shop, "expand", "completionTime") <= min(made)
    assert moment(shop, "contract", "startTime") >= max(made)
    then_nothing_is_left_of_the_canary(shop)


def test_an_expansion_that_fails_touches_nothing(shop: World) -> None:
    given_jobs(shop)
    given_live(shop)
    pods = set(shop.objects("v1", "Pod"))
    given_jobs(shop, expand="echo no such table; exit 3")
    record = shop.roll_out(version(shop, 2))
    assert record.state is RolloutState.RESTORED
    assert "expand" in record.reason
    shown = [line for verdict in record.verdicts for line in verdict.evidence]
    assert any(line.endswith("no such table") for line in shown), shown
    servers = {name for name in shop.objects("v1", "Pod") if name.startswith(("api-", "web-"))}
    assert servers <= pods


def test_a_contraction_that_fails_takes_the_release_back(shop: World) -> None:
    given_jobs(shop)
    given_live(shop)
    given_jobs(shop, contract="exit 3")
    with Load(shop).running() as load:
        record = shop.roll_out(version(shop, 2))
    assert record.state is RolloutState.RESTORED, record.reason
    assert load.failures(record) == []
    then_nothing_is_left_of_the_canary(shop)


def test_behind_the_contraction_of_an_irreversible_release_nothing_goes_back(shop: World) -> None:
    given_jobs(shop)
    given_live(shop)
    shop.irreversible = "drops the column `balance`"
    given_jobs(shop, contract="exit 3")
    with Load(shop).running() as load:
        record = shop.roll_out(version(shop, 2))
        shop.clock.wait(timedelta(seconds=2))
    assert record.state is RolloutState.FAILED
    assert "drops the column `balance`" in record.reason
    assert load.failures(record) == []
    assert load.answers[-1][2] == "2"


def test_an_irreversible_release_whose_expansion_fails_does_go_back(shop: World) -> None:
    given_jobs(shop)
    given_live(shop)
    shop.irreversible = "drops the column `balance`"
    given_jobs(shop, expand="exit 3")
    record = shop.roll_out(version(shop, 2))
    assert record.state is RolloutState.RESTORED, record.reason
