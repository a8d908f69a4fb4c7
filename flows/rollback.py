"""A whole earlier release back into an environment, by hand."""

from prefect import flow
from prefect.runtime import flow_run

from tasks.core.application import Environment
from tasks.core.model import Record, Target
from tasks.rollout.model import Back, By, Place
from tasks.rollout.task import roll_back

__all__ = ["rollback"]


def _run_name() -> str:
    parameters = flow_run.parameters
    return f"roll back {parameters['environment']}/{parameters['application']}"


@flow(flow_run_name=_run_name, persist_result=True)
def rollback(  # noqa: PLR0913, PLR0917 one field of the form each
    application: str,
    environment: str,
    namespace: str,
    reason: str,
    target: Target,
    to: int | None = None,
) -> Record:
    """Restore a whole earlier release, configuration included, from the environment's records.

    Args:
        application: name in slipway.yaml.
        environment: name in slipway.yaml.
        namespace: the environment's namespace.
        reason: stands in the history.
        target: the cluster to work with.
        to: number of the rollout to go back to; the good one before the live one where absent.
    """
    place = Place(application, environment, Environment("", namespace), target)
    return roll_back(place, By(flow_run.id), Back(reason, to))
