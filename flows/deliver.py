"""From a commit to the last environment that lets it in."""

from prefect import flow
from prefect.runtime import flow_run

from flows.clearing import clear_up_all
from flows.images import make_images
from flows.promote import Wishes, failure_of, promote
from flows.telling import tell_begun, tell_in, tell_release, telling
from tasks.core.errors import ConfigError
from tasks.core.record import Record, RolloutState
from tasks.core.repository import last_word
from tasks.core.target import Target
from tasks.release.task import assemble, draft_release
from tasks.source.decide import is_commit
from tasks.source.task import fetch_source

__all__ = ["deliver"]


def _run_name() -> str:
    return name_of(flow_run.parameters["repository"], flow_run.parameters["revision"])


@flow(flow_run_name=_run_name, persist_result=True)
@telling()
def deliver(
    repository: str,
    target: Target,
    revision: str = "HEAD",
    until: str | None = None,
    despite: str | None = None,
) -> tuple[Record, ...]:
    """Lint, test, build, scan and push a commit, then roll it out environment by environment.

    Args:
        repository: path or address of a git repository with a slipway.yaml.
        target: the cluster, registry and builders to work with.
        revision: commit, tag or branch.
        until: last environment to go to; all of them where absent.
        despite: why a release that was taken back before should be tried again.
    """
    source = fetch_source(repository, revision)
    tell_in(source.application.notify.slack, source)
    clear_up_all(source.application, target)
    tell_begun(source)
    environments = environments_until(tuple(source.application.environments), until)
    draft = draft_release(source, target)
    made = make_images(source, draft, target)
    images = tuple(each.image for each in made)
    scans = tuple(each.scan.verdict.reason for each in made)
    release = assemble(draft, images, source, target, scans)
    tell_release(release)
    records: list[Record] = []
    for environment in environments:
        before = records[-1] if records else None
        wishes = Wishes(target, despite, source.repository)
        record = promote(release, environment, source.application, wishes, before)
        records.append(record)
        if record.state is not RolloutState.SUCCEEDED:
            raise failure_of(record)
    return tuple(records)


def name_of(repository: str, revision: str) -> str:
    """Return what people call a delivery: the repository's last word and what of it."""
    return f"{last_word(repository)}@{revision[:12] if is_commit(revision) else revision}"


def environments_until(names: tuple[str, ...], until: str | None) -> tuple[str, ...]:
    """Return the environments up to and with the named one, in the order of promotion.

    Raises:
        ConfigError: there is none of that name.
    """
    if until is None:
        return names
    if until not in names:
        raise ConfigError(
            f"no environment {until!r}",
            where="until",
            next_step=f"choose one of {', '.join(names)}",
        )
    return names[: names.index(until) + 1]
