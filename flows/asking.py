"""Letting people know where they are asked, and that they are asked no more."""

from dataclasses import replace

from flows.telling import commit_of_run, tell
from flows.views import HOW
from tasks.approval.calls import Call
from tasks.approval.model import Request
from tasks.notify.model import QuestionNews, RunNews, State

__all__ = ["tell_again", "tell_answered", "tell_overtaken", "tell_question", "tell_superseded"]


def tell_question(request: Request, page: str, approved: tuple[str, ...], notice: str) -> None:
    """Tell that the run waits.

    Args:
        request: what is asked.
        page: what an approver reads, as markdown.
        approved: who has said yes already.
        notice: what became of the last answer, empty where none was given.
    """
    count = request.rules.count
    yes = f"{len(approved)} of {count}: {', '.join(approved)} said yes. " if approved else ""
    refused = f"The last answer did not count: {notice}" if notice and not approved else ""
    tell(_news(request, State.WAITING, f"{yes}{refused}".strip(), page.replace(HOW, "")))


def tell_answered(request: Request, approved: tuple[str, ...]) -> None:
    """Tell that enough approvers have said yes."""
    tell(_news(request, State.SUCCESS, f"{', '.join(approved)} said yes"))


def tell_again(request: Request, call: Call, run: str) -> None:
    """Tell that a run waits still, and who may answer by now.

    Args:
        request: what is asked.
        call: when, and whom.
        run: that asks.
    """
    commit = commit_of_run(request.application, request.author, run)
    said = f"{call.what}: {', '.join(call.people)}"
    about = (request.environment, request.release, request.plan)
    tell(QuestionNews(commit, *about, State.WAITING, said, again=True))


def tell_superseded(application: str, environment: str, run: str) -> None:
    """Tell that what another run has begun has become pointless."""
    mine, other = commit_of_run(application), commit_of_run(application, run=run)
    commit = replace(other, repository=mine.repository)
    tell(RunNews(commit, environment, "superseded: a newer release waits"))


def tell_overtaken(repository: str, run: str, commit: str) -> None:
    """Tell that nothing comes of the check of a pull request's older head any more.

    Args:
        repository: path or address of the git repository that it is proposed to.
        run: that was at the older one.
        commit: the older head, in full.
    """
    about = replace(commit_of_run("", run=run), repository=repository, name=commit)
    tell(RunNews(about, "", "superseded: the pull request has a newer head"))


def _news(request: Request, state: State, sentence: str, page: str = "") -> QuestionNews:
    return QuestionNews(
        commit_of_run(request.application, request.author),
        request.environment,
        request.release,
        request.plan,
        state,
        sentence,
        page,
        request.rules.comment,
    )
