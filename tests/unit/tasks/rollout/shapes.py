"""Objects of a small shop as its release assembly leaves them, for tests of canaries."""

from typing import Any

from tasks.core.objects import Object
from tasks.core.tracks import STABLE, TRACK
from tests.unit.tasks.rollout.world import deployment

__all__ = ["backend", "placed", "route", "rule", "service", "tracked"]


def placed(thing: Object) -> Object:
    return {**thing, "metadata": {"namespace": "shop", **thing["metadata"]}}


def tracked(name: str, image: str, *, config: str = "") -> Object:
    """A Deployment whose pods say that they are the stable ones."""
    made = placed(deployment(name, image, config=config))
    made["spec"]["template"]["metadata"]["labels"][TRACK] = STABLE
    return made


def service(name: str, **spec: Any) -> Object:  # noqa: ANN401 YAML values
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return placed(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": {"app": name}, "ports": ports, **spec},
        }
    )


def backend(name: str, weight: int | None = None, **more: Any) -> Object:  # noqa: ANN401 YAML values
    weighted = {} if weight is None else {"weight": weight}
    return {"name": name, "port": 80, **weighted, **more}


def rule(*backends: Object, **more: Any) -> Object:  # noqa: ANN401 YAML values
    return {"backendRefs": list(backends), **more}


def route(*rules: Object, name: str = "shop") -> Object:
    return placed(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": name},
            "spec": {"hostnames": ["shop.example.org"], "rules": list(rules)},
        }
    )
