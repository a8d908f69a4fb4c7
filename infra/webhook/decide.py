"""What an event starts: a table of rules, with no clock, network or store."""

from pydantic import TypeAdapter

from infra.webhook.model import (
    Alerts,
    DeploymentAsked,
    Event,
    Ignore,
    Nothing,
    Pressed,
    PullRequest,
    Push,
    ReleasePublished,
    Repository,
    Start,
    WorkflowEnded,
)
from infra.webhook.pulls import decide_pull_request
from tasks.core.alerts import Alert
from tasks.core.triggers import Trigger, matches
from tasks.guard.decide import breaches
from tasks.source.decide import is_commit, is_plain_name

__all__ = ["decide"]

USUAL = (Trigger("push"),)
"""What holds where slipway.yaml says nothing of triggers."""
SKIP = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
"""Words in a commit's message; docs.github.com, Skipping workflow runs."""
_BRANCH, _TAG = "refs/heads/", "refs/tags/"


def decide(event: Event, repository: Repository | None) -> Start | Ignore:  # noqa: PLR0911 one a kind
    """Say what an event starts.

    Args:
        event: stored, so its sender was authenticated.
        repository: that it is about; None where nobody registered it. Only its address is ever
            cloned, whatever the payload says.
    """
    if isinstance(event.facts, Nothing):
        return Ignore(event.facts.why)
    if repository is None:
        return Ignore(f"{event.subject} is not registered: slipway apply PATH")
    match event.facts:
        case Push():
            return _push(event.facts, repository)
        case PullRequest():
            return decide_pull_request(event.facts, repository, _rules(repository, "pull_request"))
        case ReleasePublished():
            return _release(event.facts, repository)
        case WorkflowEnded():
            return _workflow(event.facts, repository)
        case DeploymentAsked():
            return _deployment(event.facts, repository)
        case Pressed():
            return Ignore("an answer starts nothing")
        case Alerts():
            return _alerts(event.facts, repository)


def _push(push: Push, repository: Repository) -> Start | Ignore:
    if push.commit is None:
        return Ignore(f"{push.ref} was deleted")
    word = next((word for word in SKIP if word in push.message), None)
    if word is not None or _trailer_skips(push.message):
        return Ignore(f"the commit's message says {word or 'skip-checks: true'}")
    for trigger in _rules(repository, "push"):
        if _fits_ref(trigger, push) and _fits_paths(trigger, push):
            return _deliver(repository, push.commit, trigger.until)
    return Ignore(f"no trigger fits a push to {push.ref}")


def _trailer_skips(message: str) -> bool:
    last = message.rstrip().rpartition("\n\n")[2].casefold().replace(" ", "")
    return "skip-checks:true" in last.splitlines()


def _fits_ref(trigger: Trigger, push: Push) -> bool:
    if push.ref.startswith(_TAG):
        return matches(trigger.tags, push.ref.removeprefix(_TAG))
    if not push.ref.startswith(_BRANCH):
        return False
    usual = (push.default_branch,) if not trigger.tags else ()
    branch = push.ref.removeprefix(_BRANCH)
    return matches(trigger.branches, branch) if trigger.branches else branch in usual


def _fits_paths(trigger: Trigger, push: Push) -> bool:
    if not trigger.paths or push.paths is None:
        return True
    return any(matches(trigger.paths, path) for path in push.paths)


def _release(release: ReleasePublished, repository: Repository) -> Start | Ignore:
    if not release.is_out or release.draft:
        return Ignore(f"the release is a draft or was {release.action}, not published")
    for trigger in _rules(repository, "release"):
        if _fits_release(trigger, release):
            return _deliver(repository, f"{_TAG}{release.tag}", trigger.until)
    kind = "pre-release" if release.prerelease else "release"
    return Ignore(f"no trigger fits the {kind} {release.tag}")


def _fits_release(trigger: Trigger, release: ReleasePublished) -> bool:
    wanted = trigger.prereleases or not release.prerelease
    return wanted and (not trigger.tags or matches(trigger.tags, release.tag))


def _workflow(run: WorkflowEnded, repository: Repository) -> Start | Ignore:
    if run.fork:
        return Ignore("the workflow ran on the code of a fork")
    if run.action != "completed" or run.conclusion != "success":
        return Ignore(f"the workflow is {run.conclusion or run.action}, not a success")
    for trigger in _rules(repository, "workflow_run"):
        branch = matches(trigger.branches or (run.default_branch,), run.branch)
        if branch and (not trigger.workflows or matches(trigger.workflows, run.workflow)):
            return _deliver(repository, run.commit, trigger.until)
    return Ignore(f"no trigger fits the workflow {run.workflow} on {run.branch}")


def _deployment(asked: DeploymentAsked, repository: Repository) -> Start | Ignore:
    if asked.action != "created":
        return Ignore(f"the deployment was {asked.action}, not created")
    if asked.ours:
        return Ignore("Slipway made the deployment itself, to tell of what it does")
    if asked.proposed:
        return Ignore("the deployment is of a pull request's code")
    environments = tuple(repository.application.environments)
    if asked.environment not in environments:
        return Ignore(f"{asked.environment} is no environment of the application")
    for trigger in _rules(repository, "deployment"):
        last = trigger.until or environments[-1]
        if environments.index(asked.environment) <= environments.index(last):
            return _deliver(repository, asked.commit, asked.environment)
    return Ignore(f"no trigger fits a deployment to {asked.environment}")


def _rules(repository: Repository, event: str) -> tuple[Trigger, ...]:
    told = repository.application.triggers
    return tuple(each for each in (USUAL if told is None else told) if each.event == event)


def _deliver(repository: Repository, revision: str, until: str | None) -> Start | Ignore:
    if not is_commit(revision) and not (revision.startswith(_TAG) and is_plain_name(revision)):
        return Ignore(f"{revision!r} is no commit and no tag")
    short = revision[:12] if is_commit(revision) else revision.removeprefix(_TAG)
    parameters: dict[str, object] = {
        "repository": repository.address,
        "revision": revision,
        "until": until,
    }
    return Start("deliver/deliver", f"{repository.name.rpartition('/')[2]}@{short}", parameters)


def _alerts(alerts: Alerts, repository: Repository) -> Start | Ignore:
    described = repository.application.environments.get(alerts.environment)
    if described is None:
        return Ignore(f"{alerts.environment} is no environment of {alerts.application}")
    if not breaches(alerts.alerts):
        return Ignore("no alert that may take a release back is firing")
    parameters: dict[str, object] = {
        "application": alerts.application,
        "environment": alerts.environment,
        "namespace": described.namespace,
        "context": described.context,
        "prometheus": described.prometheus,
        "alerts": _ALERTS.dump_python(alerts.alerts, mode="json"),
    }
    return Start("guard/guard", f"guard {alerts.environment}/{alerts.application}", parameters)


_ALERTS = TypeAdapter(tuple[Alert, ...])
