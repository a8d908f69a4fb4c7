"""The fast path: the pods' own metrics, read directly through the API server."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from tasks.analysis.exposition import parse_metrics
from tasks.analysis.series import Series
from tasks.core.cluster import Cluster, Scope
from tasks.core.objects import Kind, Object, Ref, ref_of

__all__ = ["POD", "Endpoint", "Scraped", "endpoint_of", "is_staying", "scrape"]

POD = Kind("v1", "Pod")
WITHIN = timedelta(seconds=1)
OK = 200
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a pod shows its metrics."""

    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Scraped:
    """What the pods of a namespace showed.

    Attributes:
        pods: counters by the name of the pod.
        silent: why a pod that should have shown some did not.
        staying: names of all pods that are not on their way out.
    """

    pods: Mapping[str, Mapping[Series, float]] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    staying: frozenset[str] = frozenset()


def endpoint_of(pod: Object) -> Endpoint | None:
    """Read the annotations that Prometheus' own scraping goes by, None where it is not wanted."""
    annotations = pod["metadata"].get("annotations") or {}
    port = str(annotations.get("prometheus.io/port", ""))
    running = (pod.get("status") or {}).get("phase") == "Running"
    wanted = annotations.get("prometheus.io/scrape") == "true" and running
    if not wanted or not port.isdecimal() or annotations.get("prometheus.io/scheme") == "https":
        return None
    return Endpoint(int(port), str(annotations.get("prometheus.io/path") or "/metrics"))


def is_staying(pod: Object) -> bool:
    """Say whether a pod is not on its way out: no new request is sent to one that is."""
    return "deletionTimestamp" not in pod["metadata"]


def scrape(cluster: Cluster, namespace: str, names: Collection[str]) -> Scraped:
    """Read the counters of some names from every pod that shows any.

    Raises:
        Unavailable: the cluster does not answer.
    """
    found = [pod for pod in cluster.find(Scope((POD,), namespace)) if is_staying(pod)]
    pods = {ref_of(pod): place for pod in found if (place := endpoint_of(pod)) is not None}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="scrape") as pool:
        answers = pool.map(lambda pod: _read(cluster, pod, pods[pod], names), pods)
    named = [(pod.name, answer) for pod, answer in zip(pods, answers, strict=True)]
    return Scraped(
        pods={name: answer for name, answer in named if not isinstance(answer, str)},
        silent={name: answer for name, answer in named if isinstance(answer, str)},
        staying=frozenset(pod["metadata"]["name"] for pod in found),
    )


def _read(
    cluster: Cluster, pod: Ref, place: Endpoint, names: Collection[str]
) -> dict[Series, float] | str:
    """Return a pod's counters, or why there are none."""
    answer = cluster.request(pod, place.port, place.path, WITHIN)
    if answer.status != OK:
        said = answer.text if answer.status is None else f"HTTP {answer.status}"
        return f":{place.port}{place.path}: {said}"
    try:
        return parse_metrics(answer.text, names, {"namespace": pod.namespace, "pod": pod.name})
    except ValueError as error:
        return f":{place.port}{place.path}: {error}"
