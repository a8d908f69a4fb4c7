"""What is live, on fresh base images: nothing of the code is another one."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.clearing import clear_up_all
from flows.night_views import night_page, summary
from flows.nights import find_missed
from flows.renewal import End, Renewal, Tonight, renew
from flows.telling import tell_in, telling
from flows.watch import Watched, watch
from tasks.core.errors import StageFailed
from tasks.core.repository import last_word
from tasks.core.target import Target
from tasks.core.task import publish
from tasks.fresh.decide import chosen
from tasks.rollout.place import place_of
from tasks.source.task import fetch_source

__all__ = ["redeploy"]

SKIPPED = "Skipped"


def _run_name() -> str:
    wanted = flow_run.parameters.get("environment")
    name = last_word(flow_run.parameters["repository"])
    return f"redeploy {wanted}/{name}" if wanted else f"redeploy {name}"


@flow(flow_run_name=_run_name, persist_result=True)
@telling()
def redeploy(
    repository: str,
    target: Target,
    environment: str | None = None,
    environments: tuple[str, ...] = (),
) -> State[Any]:
    """Build what is live again where its base images are others today, and roll it out.

    Args:
        repository: path or address of the git repository, with a slipway.yaml.
        target: the cluster, registry and builders to work with.
        environment: the only one to be looked at.
        environments: those of a schedule; all where neither says anything.
    """
    missed = find_missed()
    if missed.later is not None:
        return Completed(
            name=SKIPPED,
            message=f"missed: the night of {missed.later:%Y-%m-%d %H:%M} UTC does its work",
        )
    newest = fetch_source(repository, "HEAD").application
    tell_in(newest.notify.slack)
    clear_up_all(newest, target)
    tonight = Tonight(repository, newest, target)
    names = chosen(tuple(newest.environments), environment, environments)
    watched = watch((place_of(newest, name, target) for name in names), newest.scan)
    renewals: list[Renewal] = []
    for name in names:
        _show(tonight, [*renewals, Renewal(name, End.UNDER_WAY, "see the run")], watched)
        renewals.append(_renewed(name, tonight, renewals))
        _show(tonight, renewals, watched)
    return _ended(tonight, renewals)


def _renewed(name: str, tonight: Tonight, before: list[Renewal]) -> Renewal:
    """Renew an environment where those before it have let it; what fails there stays there."""
    halted = next((each for each in before if not each.goes_on), None)
    if halted is None:
        return renew(name, tonight)
    return Renewal(name, End.SKIPPED, f"comes after {halted.environment}")


def _show(tonight: Tonight, renewals: list[Renewal], watched: tuple[Watched, ...]) -> None:
    application = tonight.application.application
    shown = night_page(application, renewals, watched)
    publish(("redeploy", application), shown, summary(renewals))


def _ended(tonight: Tonight, renewals: list[Renewal]) -> State[Any]:
    """Return the state that the run ends in.

    Raises:
        StageFailed: a rollout did not succeed.
    """
    said = summary(renewals)
    failed = next((each for each in renewals if each.end is End.FAILED), None)
    if failed is not None:
        raise StageFailed(
            failed.reason,
            where=f"{tonight.application.application}/{failed.environment}",
            next_step=f"slipway history {failed.environment}",
        )
    is_skipped = all(each.end is End.SKIPPED for each in renewals)
    return Completed(name=SKIPPED if is_skipped else "Completed", message=said)
