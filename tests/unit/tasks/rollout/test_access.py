"""Which rights a rollout is given."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.core.application import Environment
from tasks.core.cluster import OWN_NAMESPACE
from tasks.core.gates import Approval
from tasks.core.objects import Kind, Object, Resource
from tasks.core.probes import Grpc, Probe, ProbeJob, Tcp
from tasks.core.target import Target
from tasks.rollout.access import account_of, grants
from tasks.rollout.model import Place

CLUSTER_WIDE = {"Namespace", "ClusterRole"}


def place(*probes: Probe) -> Place:
    environment = Environment("deploy", "shop-prod", probes=probes)
    return Place("shop", "prod", environment, Target("k", "c", "r", "b", "d"))


def called(kind: Kind) -> Resource:
    return Resource(f"{kind.name.lower()}s", kind.name not in CLUSTER_WIDE)


def thing(kind: str, api_version: str = "v1", **more: Any) -> Object:  # noqa: ANN401
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "it"}, **more}


def rules(kind: str, wanted: tuple[Object, ...], *probes: Probe) -> list[Object]:
    (role,) = (each for each in grants(place(*probes), wanted, called) if each["kind"] == kind)
    found: list[Object] = role["rules"]
    return found


def verbs(found: list[Object], group: str, resource: str) -> set[str]:
    fitting = (rule for rule in found if group in rule["apiGroups"])
    return {verb for rule in fitting if resource in rule["resources"] for verb in rule["verbs"]}


def test_no_rule_says_all_verbs_all_resources_or_all_groups() -> None:
    wanted = (thing("ConfigMap"), thing("Deployment", "apps/v1"), thing("Namespace"))
    for kind in ("Role", "ClusterRole"):
        for rule in rules(kind, wanted):
            assert "*" not in {*rule["verbs"], *rule["resources"], *rule["apiGroups"]}


def test_what_the_manifests_hold_may_be_put_and_what_they_lack_only_looked_at() -> None:
    bare, full = rules("Role", ()), rules("Role", (thing("Deployment", "apps/v1"),))
    assert verbs(bare, "apps", "deployments") == {"get", "list", "watch"}
    assert {"create", "delete", "patch"} < verbs(full, "apps", "deployments")
    assert not verbs(bare, "batch", "jobs")


@pytest.mark.parametrize(
    ("probe", "resource"),
    [
        (Probe(command=("true",)), "pods/exec"),
        (Probe(tcp=Tcp()), "pods/portforward"),
        (Probe(grpc=Grpc()), "pods/portforward"),
    ],
)
def test_only_a_probe_that_needs_it_opens_a_way_into_pods(probe: Probe, resource: str) -> None:
    assert not verbs(rules("Role", (), Probe(path="/")), "", resource)
    assert verbs(rules("Role", (), probe), "", resource) == {"create", "get"}


def test_a_probe_that_is_a_job_may_make_jobs() -> None:
    assert "create" in verbs(rules("Role", (), Probe(job=ProbeJob())), "batch", "jobs")


def test_of_namespaces_only_the_environments_own_may_be_touched() -> None:
    (rule,) = rules("ClusterRole", (thing("Namespace"),))
    assert (rule["resources"], rule["resourceNames"]) == (["namespaces"], ["shop-prod"])
    assert rule["verbs"] == ["get", "patch"]


def test_a_role_among_the_manifests_is_handed_on_since_nobody_grants_what_they_lack() -> None:
    inner = {"apiGroups": [""], "resources": ["endpoints"], "verbs": ["get"]}
    wanted = (thing("Role", "rbac.authorization.k8s.io/v1", rules=[inner]),)
    assert inner in rules("Role", wanted)


def test_the_identity_lives_outside_of_the_namespace_that_it_rolls_out_into() -> None:
    found = grants(place(), (), called)
    (account,) = (each for each in found if each["kind"] == "ServiceAccount")
    assert account["metadata"] == {"name": account_of(place()), "namespace": OWN_NAMESPACE}
    bindings = [each for each in found if each["kind"].endswith("Binding")]
    assert {binding["subjects"][0]["name"] for binding in bindings} == {account_of(place())}


def test_approvers_codes_are_read_only_where_people_are_asked() -> None:
    asking = replace(place().environment, approval=Approval(approvers=("ana",)))
    for environment, expected in ((place().environment, []), (asking, [["slipway-approvers"]])):
        found = grants(replace(place(), environment=environment), (), called)
        own = [each for each in found if each["metadata"].get("namespace") == OWN_NAMESPACE]
        named = [rule["resourceNames"] for each in own for rule in each.get("rules", ())]
        assert named == expected
