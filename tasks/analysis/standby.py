"""The old release's pods that stand by: whether they would serve, were they asked.

While the new release has all the traffic, a dependency that fails it would fail the old one too,
and nothing beside it shows that. But its pods are still there, and know whether they are ready.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from tasks.analysis.questions import Pods
from tasks.analysis.scrape import POD, is_staying
from tasks.core.cluster import Cluster, Scope
from tasks.core.objects import Object, ref_of

__all__ = ["Standby"]

WITHIN = timedelta(seconds=1)
GOOD = range(200, 400)
"""Kubelet's own idea of success (kubernetes.io, Pod lifecycle, container probes)."""


@dataclass(frozen=True, slots=True)
class _Question:
    port: int | str
    path: str
    scheme: str


@dataclass(slots=True)
class Standby:
    """Asks the pods what kubelet asks them, since kubelet takes its time to give one up.

    Attributes:
        answering: pods that have answered well once. The answers of others say nothing: the API
            server may not reach them where kubelet does.
    """

    cluster: Cluster
    pods: Pods
    answering: set[str] = field(default_factory=set)

    def ill(self) -> Mapping[str, str]:
        """Say of which components no pod would serve; those without any are left out.

        Raises:
            Unavailable: the cluster does not answer.
        """
        found = self.cluster.find(Scope((POD,), self.pods.namespace))
        waiting: dict[str, list[Object]] = {}
        for pod in filter(is_staying, found):
            place = self.pods.place_of(pod["metadata"]["name"])
            if place is not None and place.track == "stable":
                waiting.setdefault(place.component, []).append(pod)
        return {
            component: f"{component}: none of the old release's {len(pods)} pods that stand by is"
            " ready, so what fails now may fail both releases"
            for component, pods in waiting.items()
            if not any(map(self._is_well, pods))
        }

    def _is_well(self, pod: Object) -> bool:
        conditions = (pod.get("status") or {}).get("conditions") or ()
        if not any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
            return False
        return all(self._answers(pod, question) for question in _questions(pod))

    def _answers(self, pod: Object, question: _Question) -> bool:
        ref = ref_of(pod)
        answer = self.cluster.request(
            ref, question.port, question.path, WITHIN, scheme=question.scheme
        )
        if answer.status in GOOD:
            self.answering.add(ref.name)
            return True
        return ref.name not in self.answering


def _questions(pod: Object) -> Iterator[_Question]:
    """Read the readiness probes that can be asked as kubelet asks them."""
    for container in pod["spec"].get("containers") or ():
        asked = (container.get("readinessProbe") or {}).get("httpGet")
        if asked and not asked.get("httpHeaders") and not asked.get("host"):
            path, scheme = asked.get("path") or "/", (asked.get("scheme") or "HTTP").lower()
            yield _Question(_port(asked["port"], container), path, scheme)


def _port(named: int | str, container: Object) -> int | str:
    """Return the number of a port: of a pod, the API server knows no names."""
    for each in container.get("ports") or ():
        if each.get("name") == named:
            return int(each["containerPort"])
    return named
