"""Flagger, with exact weights: it owns Service and HTTPRoute, and Envoy splits the requests."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.rollback.peers import FLAGGER, running
from benchmarks.rollback.side import Stage, apply, manifests
from benchmarks.rollback.steps import SHARES, SUCCESS
from tasks.core.objects import Object, parse_stream

__all__ = ["flagger"]

OWNED_BY_FLAGGER = {"Service", "HTTPRoute"}


@dataclass(frozen=True, slots=True)
class Flagger:
    """A Deployment and the Canary that follows it."""

    stage: Stage

    def release(self, number: int, faults: float) -> None:
        """Apply the application's Deployment; Flagger sees that it has changed."""
        things = self.stage.rendered(number, faults)
        kept = [
            _as_flagger_takes_it(each) for each in things if each["kind"] not in OWNED_BY_FLAGGER
        ]
        apply(kept, self.stage.cluster)
        words = {
            "namespace": self.stage.application.namespace,
            "prometheus": self.stage.application.target.prometheus or "",
            "host": self.stage.application.host,
            "shares": json.dumps(SHARES),
            "success": str(100 * SUCCESS),
        }
        apply(manifests("flagger.yaml", **words), self.stage.cluster)

    def is_promoted(self, number: int) -> bool:
        """Say whether the primary runs the release, and serves everything."""
        canary = self.stage.read("flagger.app/v1beta1", "Canary")
        primary = self.stage.read("apps/v1", "Deployment", "guestbook-primary")
        phase = (canary.get("status") or {}).get("phase")
        runs = f'"name": "VERSION", "value": "{number}"' in json.dumps(primary.get("spec"))
        return runs and phase in {"Initialized", "Succeeded"}


@contextmanager
def flagger(stage: Stage) -> Iterator[Flagger]:
    """Run the controller on the stage's cluster."""
    FLAGGER.build()
    apply(parse_stream((FLAGGER.sources / "artifacts/flagger/crd.yaml").read_text()), stage.cluster)
    target = stage.application.target
    words = (
        *("-kubeconfig", target.kubeconfig, "-namespace", stage.application.namespace),
        *("-metrics-server", target.prometheus or "", "-mesh-provider", "gatewayapi:v1"),
        *("-port", "18280", "-log-level", "info"),
    )
    with running(FLAGGER, words, stage.logs / "flagger.log"):
        yield Flagger(stage)


def _as_flagger_takes_it(thing: Object) -> Object:
    """Leave the replicas to Flagger, which keeps the Deployment at none between releases.

    Its client library does not know `preStop.sleep` yet, and sends an empty handler that the API
    server refuses; the program of that name does the same.
    """
    if thing["kind"] != "Deployment":
        return thing
    spec = {key: value for key, value in copy.deepcopy(thing["spec"]).items() if key != "replicas"}
    for container in spec["template"]["spec"]["containers"]:
        seconds = container["lifecycle"]["preStop"].pop("sleep")["seconds"]
        container["lifecycle"]["preStop"]["exec"] = {"command": ["sleep", str(seconds)]}
    return {**thing, "spec": spec}
