"""A release that one environment has into another one: nothing is built."""

from prefect import flow
from prefect.runtime import flow_run

from flows.clearing import clear_up
from flows.promote import Wishes, failure_of, promote, require_images
from flows.telling import tell_in, telling
from tasks.core.choices import chosen
from tasks.core.record import Record, RolloutState
from tasks.core.repository import last_word
from tasks.core.target import Target
from tasks.rollout.place import place_of
from tasks.rollout.promotable import origin_of
from tasks.rollout.task import find_release
from tasks.source.task import fetch_source

__all__ = ["promotion"]


def _run_name() -> str:
    parameters = flow_run.parameters
    return f"promote {last_word(parameters['repository'])} to {parameters['environment']}"


@flow(name="promote", flow_run_name=_run_name, persist_result=True)
@telling()
def promotion(  # noqa: PLR0913, PLR0917 one field of the form each
    repository: str,
    environment: str,
    target: Target,
    release: int | str | None = None,
    origin: str | None = None,
    despite: str | None = None,
) -> Record:
    """Bring a release that runs in one environment to another one, through the same gates.

    Args:
        repository: path or address of the git repository, with a slipway.yaml.
        environment: that gets the release.
        target: the cluster and registry to work with.
        release: its id, or number of a rollout of the environment that it comes from; what is
            live there where absent.
        origin: environment that it comes from; the one before where absent.
        despite: why a release that was taken back before should be tried again.
    """
    choice = chosen(release)
    newest = fetch_source(repository, "HEAD").application
    tell_in(newest.notify.slack)
    clear_up(place_of(newest, environment, target))
    giver = origin_of(newest, environment, origin or choice.environment)
    found = find_release(place_of(newest, giver, target), choice.goal, environment)
    application = fetch_source(repository, found.release.commit).application  # its own rules
    require_images(found.release, place_of(application, environment, target))
    wishes = Wishes(target, despite, repository)
    record = promote(found.release, environment, application, wishes, found)
    if record.state is not RolloutState.SUCCEEDED:
        raise failure_of(record)
    return record
