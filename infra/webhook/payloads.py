"""The parts of GitHub's payloads that Slipway reads.

Source: docs.github.com, Webhook events and payloads.
"""

from pydantic import BaseModel, ConfigDict

__all__ = [
    "AnyPayload",
    "Asked",
    "BranchPart",
    "Cause",
    "CommitPart",
    "DeploymentPayload",
    "Named",
    "Proposed",
    "Published",
    "PullRequestPayload",
    "PushPayload",
    "ReleasePayload",
    "RepositoryPart",
    "RunPart",
    "Theirs",
    "WorkflowRunPayload",
]


class Theirs(BaseModel):
    """Part of a payload; what it holds beside its fields is let be."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class RepositoryPart(Theirs):
    """A repository; `pushed_at` is seconds in a push and text elsewhere."""

    full_name: str
    default_branch: str = "main"
    pushed_at: int | str | None = None


class CommitPart(Theirs):
    """A commit of a push, with the files that it touched."""

    id: str
    message: str = ""
    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class PushPayload(Theirs):
    """A push."""

    repository: RepositoryPart
    ref: str
    before: str
    after: str
    created: bool = False
    deleted: bool = False
    forced: bool = False
    head_commit: CommitPart | None = None
    commits: tuple[CommitPart, ...] = ()


class Named(Theirs):
    """A repository by its full name alone."""

    full_name: str


class BranchPart(Theirs):
    """One side of a pull request."""

    ref: str
    sha: str
    repo: Named | None = None


class Proposed(Theirs):
    """A pull request."""

    head: BranchPart
    base: BranchPart
    draft: bool = False
    updated_at: str | None = None


class PullRequestPayload(Theirs):
    """A pull request that somebody did something with."""

    repository: RepositoryPart
    action: str
    number: int
    pull_request: Proposed


class Published(Theirs):
    """A release."""

    id: int
    tag_name: str
    draft: bool = False
    prerelease: bool = False
    published_at: str | None = None


class ReleasePayload(Theirs):
    """A release that somebody did something with."""

    repository: RepositoryPart
    action: str
    release: Published


class RunPart(Theirs):
    """A run of a workflow."""

    id: int
    run_attempt: int = 1
    workflow_id: int = 0
    run_number: int = 0
    name: str | None = None
    conclusion: str | None = None
    head_branch: str | None = None
    head_sha: str
    head_repository: Named | None = None


class WorkflowRunPayload(Theirs):
    """A run of a workflow that got somewhere."""

    repository: RepositoryPart
    action: str
    workflow_run: RunPart


class Asked(Theirs):
    """A deployment."""

    id: int
    sha: str
    environment: str
    task: str = "deploy"
    ref: str = ""


class Cause(Theirs):
    """The run of a workflow that asked for a deployment."""

    event: str = ""
    head_repository: Named | None = None


class DeploymentPayload(Theirs):
    """A deployment that somebody asked for."""

    repository: RepositoryPart
    workflow_run: Cause | None = None
    deployment_status: object = None
    action: str = "created"  # the only one there is; GitHub Enterprise does not say it
    deployment: Asked


class AnyPayload(Theirs):
    """Any event."""

    repository: Named | None = None
