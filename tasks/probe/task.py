"""The probe stage as a Prefect task, for probing what is live without a rollout."""

from prefect import task

from tasks.core.clock import SystemClock
from tasks.core.cluster_api import connect
from tasks.core.model import Verdict
from tasks.probe.effects import Probing, probe_release

__all__ = ["probe"]


@task(task_run_name="{probing.environment.namespace}: probe")
def probe(probing: Probing) -> Verdict:
    """Send the environment's probes once more."""
    with connect(probing.target) as cluster:
        return probe_release(probing, cluster, SystemClock())
