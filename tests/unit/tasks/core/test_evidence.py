from tasks.core.cluster_fake import FakeCluster
from tasks.core.evidence import evidence_of
from tasks.core.objects import Kind, Object, Ref

POD = Ref(Kind("v1", "Pod"), "shop", "api-1")


def secret(**values: str) -> Object:
    metadata = {"name": "database", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}


def given(*said: str) -> FakeCluster:
    cluster = FakeCluster()
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    cluster.create(secret(password="s3cr3t-of-shop", port="3306"))
    cluster.said["api-1/api"] = said
    return cluster


def test_what_a_secret_of_the_namespace_holds_is_masked_in_logs() -> None:
    cluster = given("cannot reach mysql://shop:s3cr3t-of-shop@db:3306")
    assert evidence_of(cluster, POD, "api") == (
        "log api-1/api: cannot reach mysql://shop:***@db:3306",
    )
