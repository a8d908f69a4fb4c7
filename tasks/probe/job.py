"""A user's own container as a probe: a Job that leaves nothing behind."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from tasks.core.clock import Clock
from tasks.core.cluster import Answer, Cluster, Scope
from tasks.core.errors import ConfigError
from tasks.core.evidence import evidence_of
from tasks.core.objects import Kind, Object, Ref, ref_of
from tasks.core.units import format_duration

__all__ = ["JobRun", "job_manifest", "run_job"]

JOB, POD = Kind("batch/v1", "Job"), Kind("v1", "Pod")
LABEL = "slipway.dev/probe"
KEPT_AFTERWARDS = timedelta(minutes=1)
"""For the case that this process is killed: then Kubernetes itself deletes the Job."""
CONTAINER = "probe"
NOBODY = 65534
RESOURCES = {
    "requests": {"cpu": "10m", "memory": "32Mi"},
    "limits": {"cpu": "1", "memory": "256Mi"},
}


@dataclass(frozen=True, slots=True)
class JobRun:
    """What runs, and for how long it may: from its own start, for it has no other try."""

    namespace: str
    image: str
    command: tuple[str, ...]
    env: dict[str, str]
    pull_secrets: tuple[str, ...]
    deadline: timedelta


def run_job(run: JobRun, cluster: Cluster, clock: Clock) -> Answer:
    """Make a Job, follow it to its end, and delete it with its pods."""
    started = time.monotonic()
    manifest = job_manifest(run, f"slipway-probe-{uuid4().hex[:8]}")
    ref = ref_of(manifest)
    with contextlib.ExitStack() as undone:
        undone.callback(cluster.delete, ref)
        try:
            cluster.create(manifest)
        except ConfigError as error:
            return Answer(None, error.what, 0.0)
        status = _exit_status(ref, cluster, clock.now() + run.deadline)
        if status == 0:
            return Answer(0, "", time.monotonic() - started)
        said = "; ".join(_evidence(ref, cluster))
        late = f"no end within {format_duration(run.deadline)}: {said}"
        return Answer(status, said if status is not None else late, time.monotonic() - started)


def job_manifest(run: JobRun, name: str) -> Object:
    """Write a Job that the restricted pod security standard admits."""
    labels = {"app.kubernetes.io/managed-by": "slipway", LABEL: name}
    container: Object = {
        "name": CONTAINER,
        "image": run.image,
        "env": [{"name": key, "value": value} for key, value in run.env.items()],
        "resources": RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    if run.command:
        container["command"] = list(run.command)
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "imagePullSecrets": [{"name": each} for each in run.pull_secrets],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,  # an image that names its user by a word cannot be verified
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.name,
        "metadata": {"name": name, "namespace": run.namespace, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": max(1, round(run.deadline.total_seconds())),
            "ttlSecondsAfterFinished": round(KEPT_AFTERWARDS.total_seconds()),
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def _exit_status(job: Ref, cluster: Cluster, until: datetime) -> int | None:
    """Return how the Job's container ended, None where it did not in time."""
    for seen in cluster.watch(_pods(job), until):
        for pod in seen:
            for container in (pod.get("status") or {}).get("containerStatuses") or ():
                ended = (container.get("state") or {}).get("terminated")
                if ended is not None:
                    return int(ended["exitCode"])
    return None


def _evidence(job: Ref, cluster: Cluster) -> Iterator[str]:
    """Say what the Job and its pods show for themselves."""
    yield from evidence_of(cluster, job)
    for pod in cluster.find(_pods(job)):
        yield from evidence_of(cluster, ref_of(pod), CONTAINER)


def _pods(job: Ref) -> Scope:
    return Scope((POD,), job.namespace, labels=f"{LABEL}={job.name}")
