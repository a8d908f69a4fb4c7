from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from tasks.core.bounds import Bounds, bounds_of
from tasks.core.model import Digest, Manifests, Release, ReleasedImage

IMAGE = ReleasedImage("api", "registry/api", Digest("sha256:" + "0" * 64))


def workload(kind: str, image: str, memory: str | None, grace: int | None) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "main", "image": image}
    if memory:
        container["resources"] = {"limits": {"memory": memory}}
    spec: dict[str, Any] = {"containers": [container]}
    if grace is not None:
        spec["terminationGracePeriodSeconds"] = grace
    return {"apiVersion": "apps/v1", "kind": kind, "spec": {"template": {"spec": spec}}}


def release(*environments: list[dict[str, Any]]) -> Release:
    return Release(
        id="r",
        application="shop",
        commit="c" * 40,
        author="Ann",
        author_email="a@example.org",
        subject="Change",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        images=(IMAGE,),
        manifests=tuple(
            Manifests(f"env-{number}", "shop", yaml.safe_dump_all(objects))
            for number, objects in enumerate(environments)
        ),
    )


def test_the_narrowest_environment_counts() -> None:
    found = bounds_of(
        release(
            [workload("Deployment", IMAGE.reference, "64Mi", 45)],
            [workload("Deployment", IMAGE.reference, "128Mi", 20)],
        ),
        "api",
    )
    assert found == Bounds(64 * 2**20, timedelta(seconds=20))


def test_other_images_and_jobs_do_not_count() -> None:
    found = bounds_of(
        release(
            [
                workload("Deployment", IMAGE.reference, None, None),
                workload("Deployment", "registry/other", "8Mi", 1),
                workload("Job", IMAGE.reference, "16Mi", 2),
            ]
        ),
        "api",
    )
    assert found == Bounds(None, timedelta(seconds=30))


def test_an_image_that_no_server_runs_has_no_bounds() -> None:
    assert bounds_of(release([workload("Job", IMAGE.reference, "16Mi", 2)]), "api") == Bounds()
