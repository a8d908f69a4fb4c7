import inspect
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from deployments import POOL
from deployments.catalogue import CATALOGUE, Entry
from deployments.register import defaults
from tasks.core.target import Target

ROOT = Path(__file__).parents[3]
WRITTEN = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]


def test_prefect_yaml_and_the_catalogue_name_the_same_deployments() -> None:
    assert [each["name"] for each in WRITTEN] == [entry.name for entry in CATALOGUE]


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_prefect_yaml_says_of_a_deployment_what_the_catalogue_says(entry: Entry) -> None:
    written = next(each for each in WRITTEN if each["name"] == entry.name)
    path, _, function = written["entrypoint"].partition(":")
    assert f"{path.removesuffix('.py').replace('/', '.')}.{function}" == entry.entrypoint
    assert written["description"] == entry.description
    assert tuple(written["tags"]) == entry.tags
    assert written["work_pool"]["name"] == POOL


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_every_field_of_a_form_is_described(entry: Entry) -> None:
    fields = entry.flow.parameters.properties
    assert list(fields) == list(inspect.signature(entry.flow.fn).parameters)
    assert all(field.get("description") for field in fields.values())


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_only_what_acts_in_a_cluster_is_told_of_one(entry: Entry) -> None:
    told = str(defaults(entry, asdict(Target("/kube", "the-context", "registry", "b", "d"))))
    acts = "target" in entry.flow.parameters.properties
    assert ("the-context" in told) is acts
    assert ("/kube" in told) is acts
