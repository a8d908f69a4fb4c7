"""The stage source as a Prefect task."""

from prefect import get_run_logger, task

from tasks.core.model import Committers, Release, Source
from tasks.core.proposal import Proposal
from tasks.source import effects, people
from tasks.source.decide import require_storable
from tasks.source.proposed import admit_to

__all__ = ["fetch_proposed", "fetch_source", "find_committers"]


@task(task_run_name="source: {revision}")
def fetch_source(repository: str, revision: str) -> Source:
    """Bring a commit onto this machine as a clean tree."""
    require_storable(repository)
    return effects.fetch_source(repository, revision, get_run_logger().info)


@task(task_run_name="source: who committed since {since}?", retries=2, retry_delay_seconds=5)
def find_committers(repository: str | None, since: str | None, release: Release) -> Committers:
    """Return who wrote or committed what a release brings beyond a live commit."""
    return people.find_committers(repository, since, release.commit, release.people)


@task(task_run_name="source: pull request {proposal.number}")
def fetch_proposed(proposal: Proposal) -> Source:
    """Bring a pull request's head onto this machine as a clean tree, if it is still that commit."""
    require_storable(proposal.repository)
    log = get_run_logger().info
    return effects.fetch_source(proposal.repository, proposal.ref, log, admit_to(proposal))
