"""A pull request: what would stop its code is found before anybody merges it."""

from dataclasses import replace

from prefect import flow
from prefect.runtime import flow_run

from flows.asking import tell_overtaken
from flows.checks import check_images, unchecked
from flows.pulls import end_older
from flows.telling import tell_begun, tell_in, telling
from tasks.core.proposal import Proposal, name_of_pull
from tasks.core.target import Workshop
from tasks.release.task import draft_release
from tasks.source.task import fetch_proposed

__all__ = ["check"]

STAGES = ("lint", "test", "build", "scan")


def _run_name() -> str:
    parameters = flow_run.parameters
    return f"check {name_of_pull(parameters['repository'], parameters['number'])}"


@flow(flow_run_name=_run_name, persist_result=True)
@telling()
def check(
    repository: str, number: int, commit: str, workshop: Workshop, *, fork: bool = True
) -> tuple[str, ...]:
    """Lint, test, build and scan a pull request's head; nothing is pushed, nothing rolled out.

    Args:
        repository: path or address of the git repository that it is proposed to.
        number: of the pull request.
        commit: its head, in full; a head that has moved on is left to the newer run.
        workshop: the builders to work with.
        fork: whether its code lies in somebody else's repository.
    """
    tell_in(None)  # whoever proposes something chooses no channel
    for older in end_older(repository, number):
        tell_overtaken(repository, str(older.id), older.parameters.get("commit", ""))
    proposal = Proposal(repository, number, commit, fork)
    source = fetch_proposed(proposal)
    tell_begun(source, STAGES)
    apart = replace(workshop, cache=proposal.cache)
    draft = draft_release(source, apart)
    names = unchecked(source)
    check_images(source, draft, apart, names)
    return names
