from dataclasses import replace

import pytest

from deployments.catalogue import CATALOGUE, Entry
from deployments.forms import Form, Offer, shown
from deployments.offers import offer_of
from deployments.registered import Registered
from tasks.core.application import Application, Component, Environment
from tasks.core.choices import choice_of
from tasks.core.gates import Approval
from tasks.core.target import Target
from tasks.rollout.model import Stored
from tests.unit.flows.test_views import STAGING

PEOPLE = Approval(approvers=("ana",))
SHOP = Application(
    "shop",
    {"api": Component("api")},
    {
        "staging": Environment("staging", "shop-staging"),
        "prod": Environment("prod", "shop-prod", context="far", approval=PEOPLE),
    },
)
TARGET = Target("kubeconfig", "", "registry", "builder", "engine")
OLD = replace(STAGING, number=3, environment="prod")
LIVE = replace(OLD, number=4, release=replace(OLD.release, id="r-live"))
BAD = replace(OLD, number=2, release=replace(OLD.release, id="r-bad"))
OFFER = offer_of(
    Registered("https://git.example/shop.git", SHOP),
    TARGET,
    {"staging": (Stored(STAGING),), "prod": (Stored(BAD, bad=True), Stored(OLD), Stored(LIVE))},
)
WITH_FORM = [entry for entry in CATALOGUE if entry.form]


def form_of(name: str, offer: Offer = OFFER) -> Form:
    entry = next(each for each in CATALOGUE if each.name == name)
    assert entry.form is not None
    return entry.form(offer)


@pytest.mark.parametrize("entry", WITH_FORM, ids=lambda entry: entry.name)
def test_a_form_fills_in_or_asks_every_parameter_that_the_flow_needs(entry: Entry) -> None:
    form, own = form_of(entry.name), entry.flow.parameters
    given = {*form.pinned, *form.fields}
    assert given <= set(own.properties), "nothing that the flow does not know"
    assert set(own.required) <= given
    assert not set(form.pinned) & set(form.fields)
    assert set(own.required) - set(form.pinned) <= set(shown(form)["required"])


def test_a_field_is_shown_in_its_place_with_its_choices() -> None:
    schema = shown(form_of("deliver"))
    assert list(schema["properties"]) == ["revision", "until", "despite"]
    assert [each["position"] for each in schema["properties"].values()] == [0, 1, 2]
    assert schema["properties"]["until"]["enum"] == ["staging", "prod"]
    assert schema["properties"]["revision"]["default"] == "HEAD"
    assert schema["required"] == []


def test_a_rollback_offers_good_rollouts_that_are_not_live_the_newest_first() -> None:
    form = form_of("rollback")
    assert form.fields["to"].choices == (choice_of(OLD),)
    assert form.pinned["places"] == {
        "staging": {"namespace": "shop-staging", "context": ""},
        "prod": {"namespace": "shop-prod", "context": "far"},
    }


def test_a_promotion_offers_what_is_live_too() -> None:
    lines = tuple(map(choice_of, (LIVE, OLD, STAGING)))
    assert form_of("promote").fields["release"].choices == lines


def test_without_a_history_anything_can_be_written() -> None:
    schema = shown(form_of("rollback", replace(OFFER, rollouts={})))
    assert "enum" not in schema["properties"]["to"]


def test_who_starts_a_delivery_is_told_where_it_waits() -> None:
    assert "staging → prod. It waits for approvers before prod." in form_of("deliver").says
