"""Registering at a real server, and starting runs as the UI does: one POST with the form."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

from deployments import POOL
from deployments.catalogue import CATALOGUE
from deployments.forms import Offer
from deployments.refresh import update
from deployments.register import register
from tasks.core.choices import choice_of
from tasks.core.nightly import Nightly
from tests.unit.deployments.test_forms import LIVE, OFFER, OLD

pytestmark = pytest.mark.usefixtures("prefect")

WITHOUT_SHOP = {f"{entry.name}/{entry.name}" for entry in CATALOGUE}
WITH_SHOP = WITHOUT_SHOP | {f"{entry.name}/shop" for entry in CATALOGUE if entry.form}
OTHER = replace(OFFER, application=replace(OFFER.application, application="other"))


@pytest.fixture
def api() -> Iterator[httpx.Client]:
    with httpx.Client(base_url=str(PREFECT_API_URL.value()), trust_env=False) as client:
        yield client


def registered(*offers: Offer) -> tuple[str, ...]:
    return asyncio.run(register(dict(OFFER.target), offers))


def updated() -> tuple[str, ...]:
    async def ask() -> tuple[str, ...]:
        async with get_client() as client:
            return await update(client, OFFER)

    return asyncio.run(ask())


def names(api: httpx.Client) -> set[str]:
    found = api.post("/deployments/filter", json={}).json()
    flows = {each["id"]: each["name"] for each in api.post("/flows/filter", json={}).json()}
    return {f"{flows[each['flow_id']]}/{each['name']}" for each in found}


def deployment(api: httpx.Client, name: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/deployments/name/{name}").json()
    return found


def started(api: httpx.Client, name: str, form: dict[str, Any]) -> httpx.Response:
    """Start a run with what the form shows, as Prefect's UI does."""
    path = f"/deployments/{deployment(api, name)['id']}/create_flow_run"
    return api.post(path, json={"parameters": form, "state": {"type": "SCHEDULED"}})


def test_a_pool_whose_runs_could_bring_a_command_of_their_own_is_set_right(
    api: httpx.Client,
) -> None:
    registered()
    pool = f"/work_pools/{POOL}"
    ours = api.get(pool).json()["base_job_template"]
    theirs = {
        "variables": {"type": "object", "properties": {"command": {"type": "string"}}},
        "job_configuration": {"command": "{{ command }}"},
    }
    assert api.patch(pool, json={"base_job_template": theirs}).is_success
    assert api.get(pool).json()["base_job_template"] == theirs
    registered()
    assert api.get(pool).json()["base_job_template"] == ours


def test_each_flow_is_offered_for_each_application_however_often(api: httpx.Client) -> None:
    assert registered(OFFER) == ()
    before = deployment(api, "rollback/shop")
    assert registered(OFFER) == ()
    assert names(api) == WITH_SHOP
    assert deployment(api, "rollback/shop")["id"] == before["id"], "runs keep their deployment"
    assert deployment(api, "rollback/shop")["updated"] == before["updated"], "nothing to do"
    assert set(before["tags"]) == {"slipway", "rollback", "shop"}


def test_what_somebody_has_changed_by_hand_is_put_right(api: httpx.Client) -> None:
    nightly = replace(OFFER, application=replace(OFFER.application, nightly=Nightly("0 3 * * *")))
    registered(nightly)
    before = {name: deployment(api, name) for name in ("redeploy/shop", "deliver/shop")}
    redeploy, deliver = (each["id"] for each in before.values())
    edits = {"paused": True, "description": "mine", "tags": ["slipway"]}
    api.patch(f"/deployments/{redeploy}", json={"schedules": []}).raise_for_status()
    api.patch(f"/deployments/{deliver}", json={**edits, "parameters": {}}).raise_for_status()
    registered(nightly)
    for name, was in before.items():
        found = deployment(api, name)
        assert {key: found[key] for key in (*edits, "parameters")} == {
            key: was[key] for key in (*edits, "parameters")
        }
        assert [each["schedule"] for each in found["schedules"]] == [
            each["schedule"] for each in was["schedules"]
        ]


def test_what_is_gone_is_deleted_and_what_others_registered_stays(api: httpx.Client) -> None:
    flow_id = api.post("/flows/", json={"name": "foreign"}).json()["id"]
    api.post("/deployments/", json={"name": "shop", "flow_id": flow_id, "tags": ["shop"]})
    registered(OFFER, OTHER)
    assert set(registered(OTHER)) == {f"{each.name}/shop" for each in CATALOGUE if each.form}
    assert "foreign/shop" in names(api)
    assert {"deliver/other", "deliver/deliver"} <= names(api)
    assert "deliver/other" in registered()
    assert names(api) == {*WITHOUT_SHOP, "foreign/shop"}
    api.delete(f"/deployments/{deployment(api, 'foreign/shop')['id']}")


def test_forms_offer_what_has_been_rolled_out_since_and_nothing_else_of_them_changes(
    api: httpx.Client,
) -> None:
    registered(replace(OFFER, rollouts={}, live=frozenset()))
    before = deployment(api, "rollback/shop")
    assert "enum" not in before["parameter_openapi_schema"]["properties"]["to"]
    assert updated() == ("promote/shop", "rollback/shop")
    after = deployment(api, "rollback/shop")
    assert after["parameter_openapi_schema"]["properties"]["to"]["enum"] == [choice_of(OLD)]
    same = ("id", "tags", "parameters", "description", "entrypoint", "enforce_parameter_schema")
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert updated() == ()


def test_forms_of_what_is_not_registered_any_more_are_left_alone(api: httpx.Client) -> None:
    registered()
    assert updated() == ()
    assert "rollback/shop" not in names(api)


def test_a_run_from_the_form_has_all_that_the_flow_needs(api: httpx.Client) -> None:
    registered(OFFER)
    form = {"environment": "prod", "to": choice_of(OLD), "reason": "it burns"}
    answer = started(api, "rollback/shop", form)
    assert answer.status_code == HTTPStatus.CREATED
    parameters = answer.json()["parameters"]
    assert parameters["application"] == "shop"
    assert parameters["places"]["prod"]["namespace"] == "shop-prod"
    assert {key: parameters[key] for key in form} == form
    entry = next(each for each in CATALOGUE if each.name == "rollback")
    assert entry.flow.validate_parameters(parameters)["target"].builder == "builder"


@pytest.mark.parametrize(
    ("name", "form"),
    [
        pytest.param("deliver/shop", {"revision": "HEAD"}, id="a delivery"),
        pytest.param("deliver/shop", {"revision": "v1", "until": "staging"}, id="until staging"),
        pytest.param("promote/shop", {"environment": "prod"}, id="what is live before"),
        pytest.param(
            "promote/shop", {"environment": "prod", "release": choice_of(LIVE)}, id="a release"
        ),
    ],
)
def test_what_can_be_started_with_a_form(api: httpx.Client, name: str, form: Any) -> None:  # noqa: ANN401
    registered(OFFER)
    assert started(api, name, form).status_code == HTTPStatus.CREATED


@pytest.mark.parametrize(
    ("name", "form"),
    [
        pytest.param("deliver/shop", {"until": "qa"}, id="no such environment"),
        pytest.param("promote/shop", {}, id="an environment has to be chosen"),
        pytest.param("rollback/shop", {"environment": "prod"}, id="a reason has to be given"),
        pytest.param(
            "rollback/shop",
            {"environment": "prod", "reason": "it burns", "to": choice_of(LIVE)},
            id="what is live is no goal",
        ),
    ],
)
def test_what_the_server_refuses_at_once(api: httpx.Client, name: str, form: Any) -> None:  # noqa: ANN401
    registered(OFFER)
    assert started(api, name, form).status_code == HTTPStatus.CONFLICT
