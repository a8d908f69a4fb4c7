"""The stage source as a Prefect task."""

from prefect import get_run_logger, task

from tasks.core.model import Source
from tasks.core.proposal import Proposal
from tasks.source import effects
from tasks.source.decide import require_storable
from tasks.source.proposed import admit_to

__all__ = ["fetch_proposed", "fetch_source"]


@task(task_run_name="source: {revision}")
def fetch_source(repository: str, revision: str) -> Source:
    """Bring a commit onto this machine as a clean tree."""
    require_storable(repository)
    return effects.fetch_source(repository, revision, get_run_logger().info)


@task(task_run_name="source: pull request {proposal.number}")
def fetch_proposed(proposal: Proposal) -> Source:
    """Bring a pull request's head onto this machine as a clean tree, if it is still that commit."""
    require_storable(proposal.repository)
    log = get_run_logger().info
    return effects.fetch_source(proposal.repository, proposal.ref, log, admit_to(proposal))
