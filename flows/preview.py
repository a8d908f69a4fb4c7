"""A pull request of the own repository, to be looked at in a namespace of its own."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Literal

from prefect import flow
from prefect.deployments import run_deployment
from prefect.runtime import flow_run
from pydantic import TypeAdapter

from flows.checks import check_images
from flows.pulls import await_ended, end_older, require_newest
from tasks.core.errors import StageFailed
from tasks.core.model import Image, Release, Source
from tasks.core.previews import Previews, name_of
from tasks.core.proposal import Proposal, name_of_pull
from tasks.core.record import Record, RolloutState
from tasks.core.target import Target, workshop_of
from tasks.preview.decide import require_inside, shown
from tasks.preview.effects import Pull
from tasks.preview.task import claim_namespace, inspect_kinds, remove_namespace
from tasks.push.task import push_image
from tasks.release.task import assemble, draft_release
from tasks.rollout.model import By, Place
from tasks.rollout.place import place_of
from tasks.rollout.task import roll_out
from tasks.source.task import fetch_proposed

__all__ = ["preview", "remove_preview"]


def _run_name() -> str:
    parameters = flow_run.parameters
    what = flow_run.flow_name.replace("-", " ")
    return f"{what} {name_of_pull(parameters['repository'], parameters['number'])}"


@flow(flow_run_name=_run_name, persist_result=True)
def preview(  # noqa: PLR0913, PLR0917 one field of the form each
    repository: str,
    number: int,
    commit: str,
    application: str,
    previews: Previews,
    target: Target,
) -> Record:
    """Check a pull request of the own repository and roll it out into a namespace of its own.

    Args:
        repository: path or address of the git repository that it is proposed to.
        number: of the pull request.
        commit: its head, in full; a head that has moved on is left to the newer run.
        application: name in slipway.yaml.
        previews: what slipway.yaml said of them when the repository was registered.
        target: the cluster, registry and builders to work with.
    """
    end_older(repository, number)
    proposal = Proposal(repository, number, commit, fork=False)
    source = shown(fetch_proposed(proposal), application, previews, number)
    apart = replace(workshop_of(target), cache=proposal.cache)
    draft = draft_release(source, apart, number)
    require_inside(draft, source.application, number)
    images = check_images(source, draft, apart, tuple(source.application.components))
    require_newest(repository, number)
    place = place_of(source.application, name_of(number), target)
    inspect_kinds(draft, source.application, number, place.target)
    pull = Pull(application, number, previews)
    _plan_end(pull, repository, claim_namespace(pull, place.target), target)
    return _rolled_out(_released(draft, images, source, target), place, number)


def _released(draft: Release, images: tuple[Image, ...], source: Source, target: Target) -> Release:
    """Push what was checked, and put its digests into the manifests."""
    pushed = [push_image.submit(source, image, target) for image in images]
    return assemble(draft, tuple(each.result() for each in pushed), source, target)


def _rolled_out(release: Release, place: Place, number: int) -> Record:
    """Roll out; nobody is woken up where that fails."""
    again = f"the preview of pull request {number} is asked for again"
    record = roll_out(release, place, By(flow_run.id, release.author, despite=again))
    if record.state is not RolloutState.SUCCEEDED:
        raise StageFailed(record.reason, where=str(place), next_step="push a correction")
    return record


def _plan_end(pull: Pull, repository: str, until: datetime, target: Target) -> None:
    """Have somebody look, when a preview has been kept long enough, whether it is there still."""
    parameters = {
        "repository": repository,
        "number": pull.number,
        "application": pull.application,
        "previews": _PREVIEWS.dump_python(pull.previews, mode="json"),
        "target": asdict(target),
        "because": "age",
    }
    run_deployment(
        f"{remove_preview.name}/{remove_preview.name}",
        parameters=parameters,
        scheduled_time=until,
        timeout=0,
        as_subflow=False,
        idempotency_key=f"age-{flow_run.id}",
    )


@flow(flow_run_name=_run_name, persist_result=True)
def remove_preview(  # noqa: PLR0913, PLR0917 one field of the form each
    repository: str,
    number: int,
    application: str,
    previews: Previews,
    target: Target,
    because: Literal["closed", "age"] = "closed",
) -> str:
    """Remove the namespace that Slipway made for a pull request, and nothing else.

    Args:
        repository: path or address of the git repository that it was proposed to.
        number: of the pull request.
        application: name in slipway.yaml.
        previews: what slipway.yaml said of them when the repository was registered.
        target: the cluster to work with.
        because: it was closed, or may be old enough: one that was renewed then stays.
    """
    if because == "closed":
        older = end_older(repository, number)
        await_ended(tuple(each.id for each in older), return_state=True)
    pull = Pull(application, number, previews)
    named = replace(target, context=target.context or previews.context or "")
    return remove_namespace(pull, named, because)


_PREVIEWS = TypeAdapter(Previews)
