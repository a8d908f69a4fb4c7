"""Argo Rollouts, by replica share: its Gateway API plugin is on no Go proxy."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.rollback.peers import ARGO, running
from benchmarks.rollback.side import Stage, apply, manifests
from benchmarks.rollback.steps import PAUSE_SECONDS, SHARES, SUCCESS
from tasks.core.objects import Object, parse_stream

__all__ = ["argo"]

PORTS = ("--metricsPort", "18190", "--healthzPort", "18180")
API = "argoproj.io/v1alpha1"


@dataclass(frozen=True, slots=True)
class Argo:
    """A Rollout in the Deployment's place."""

    stage: Stage

    def release(self, number: int, faults: float) -> None:
        """Apply the application, its Deployment as a Rollout."""
        things = self.stage.rendered(number, faults)
        rollouts = [_as_rollout(each) if each["kind"] == "Deployment" else each for each in things]
        apply(rollouts, self.stage.cluster)
        words = {
            "namespace": self.stage.application.namespace,
            "prometheus": self.stage.application.target.prometheus or "",
        }
        apply(manifests("argo.yaml", success=str(SUCCESS), **words), self.stage.cluster)

    def is_promoted(self, number: int) -> bool:
        """Say whether the newest pods are the stable ones."""
        del number  # a Rollout knows its newest alone
        rollout = self.stage.read(API, "Rollout")
        status = rollout.get("status") or {}
        generation = str(rollout.get("metadata", {}).get("generation"))
        seen = status.get("observedGeneration") == generation
        same = status.get("stableRS") == status.get("currentPodHash")
        return seen and same and status.get("phase") == "Healthy"


@contextmanager
def argo(stage: Stage) -> Iterator[Argo]:
    """Run the controller on the stage's cluster."""
    ARGO.build()
    for file in sorted((ARGO.sources / "manifests" / "crds").glob("*-crd.yaml")):
        apply(parse_stream(file.read_text()), stage.cluster)
    target = stage.application.target
    where = ("--kubeconfig", target.kubeconfig, "--context", target.context)
    words = (*where, "--namespace", stage.application.namespace, "--namespaced", *PORTS)
    with running(ARGO, (*words, "--leader-elect=false"), stage.logs / "argo.log"):
        yield Argo(stage)


def _as_rollout(deployment: Object) -> Object:
    pause = {"pause": {"duration": f"{PAUSE_SECONDS}s"}}
    steps = [step for share in SHARES for step in ({"setWeight": share}, pause)]
    given = {"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}
    analysis = {"templates": [{"templateName": "success"}], "args": [given]}
    canary = {"maxSurge": 1, "maxUnavailable": 0, "steps": steps, "analysis": analysis}
    spec = {**deployment["spec"], "strategy": {"canary": canary}}
    return {**deployment, "apiVersion": API, "kind": "Rollout", "spec": spec}
