"""Register the catalogue at Prefect's server; safe to repeat."""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowFilter,
    FlowFilterId,
)
from prefect.client.schemas.objects import VersionInfo
from prefect.client.schemas.responses import DeploymentResponse
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists
from prefect.schedules import Schedule
from prefect.types.entrypoint import EntrypointType
from pydantic import TypeAdapter

from deployments import OURS, POOL
from deployments.catalogue import CATALOGUE, Entry
from deployments.forms import Form, Offer, shown
from deployments.offers import offers
from deployments.registered import registered
from deployments.target import instance_target
from tasks.core.target import Target, workshop_of

__all__ = ["Wanted", "defaults", "make_pool", "register", "wanted"]

TEMPLATE: dict[str, Any] = {
    "job_configuration": {"stream_output": True},
    "variables": {"type": "object", "properties": {}},
}
"""A run brings no command, environment or folder of its own: it has what the worker has.

With Prefect's own template its server holds them against their schema for every run, which takes it
a seventh of its time when many are made.
"""
PAGE = 200
"""What Prefect's server gives at once."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One deployment as Prefect should have it.

    Attributes:
        name: behind the flow's.
        parameters: that are filled in.
        form: what is shown; the flow's own parameters where None.
        schedules: when it starts by itself.
    """

    entry: Entry
    name: str
    tags: tuple[str, ...]
    parameters: dict[str, Any]
    form: Form | None = None
    schedules: tuple[Schedule, ...] = field(default=())

    @property
    def full_name(self) -> str:
        """Return it as Prefect names it."""
        return f"{self.entry.name}/{self.name}"


def wanted(target: dict[str, Any], offered: Iterable[Offer]) -> Iterator[Wanted]:
    """Yield every deployment that should be there.

    Args:
        target: what runs work with when a form or a command names nothing else.
        offered: the applications that are registered.
    """
    for entry in CATALOGUE:
        yield Wanted(entry, entry.name, entry.tags, defaults(entry, target))
    for offer in offered:
        for entry in CATALOGUE:
            if entry.form is not None:
                form = entry.form(offer)
                tags = (*entry.tags, offer.name)
                yield Wanted(
                    entry, offer.name, tags, dict(form.pinned), form, entry.schedules(offer)
                )


async def register(target: dict[str, Any], offered: Iterable[Offer]) -> tuple[str, ...]:
    """Create or update the work pool and each deployment, and delete what is not wanted any more.

    What others have registered stays: ours carries our tag.

    Args:
        target: what runs work with when a form or a command names nothing else.
        offered: the applications that are registered.

    Returns:
        The names of those that were deleted, `flow/name`.
    """
    all_wanted = tuple(wanted(target, offered))
    async with get_client() as client:
        await make_pool(client)
        found = await _registered(client)
        for each in all_wanted:
            made = _deployment(each)
            known = found.get(each.full_name)
            if known is None or not _is_same(known, made):
                # else Prefect calls it after the commit of whatever folder this is done in
                version = VersionInfo(type="prefect:simple", version=made.version or "")
                await made.aapply(version_info=version)
        return await _delete_others(client, found, {each.full_name for each in all_wanted})


async def make_pool(client: PrefectClient) -> None:
    """Make the work pool, or see that the one that is there has our template."""
    made = WorkPoolCreate(name=POOL, type="process", base_job_template=TEMPLATE)
    try:
        await client.create_work_pool(made)
    except ObjectAlreadyExists:
        await client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=TEMPLATE))


def _deployment(each: Wanted) -> RunnerDeployment:
    made = RunnerDeployment.from_flow(
        each.entry.flow,
        name=each.name,
        description=each.form.says if each.form else each.entry.description,
        tags=list(each.tags),
        parameters=each.parameters,
        schedules=list(each.schedules),
        work_pool_name=POOL,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    if each.form is not None:
        # the constructor takes no schema; what it has made from the flow's signature is replaced
        own = made._parameter_openapi_schema  # noqa: SLF001
        made._parameter_openapi_schema = type(own)(**shown(each.form))  # noqa: SLF001
    return made


async def _registered(client: PrefectClient) -> dict[str, DeploymentResponse]:
    """Return the deployments that carry our tag, by their full names."""
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[OURS]))
    found: list[DeploymentResponse] = []
    while page := await client.read_deployments(
        deployment_filter=ours, limit=PAGE, offset=len(found)
    ):
        found += page
    ids = list({each.flow_id for each in found})
    flows = await client.read_flows(flow_filter=FlowFilter(id=FlowFilterId(any_=ids)))
    names = {each.id: each.name for each in flows}
    return {f"{names[each.flow_id]}/{each.name}": each for each in found}


def _is_same(found: DeploymentResponse, made: RunnerDeployment) -> bool:
    """Say whether the server has a deployment as it should be; sending one takes it a second."""
    schema = made._parameter_openapi_schema.model_dump(exclude_unset=True)  # noqa: SLF001
    parameters = made.model_dump(mode="json", include={"parameters"})["parameters"]
    if (found.parameter_openapi_schema, found.parameters) != (schema, parameters):
        return False
    return _shape(found) == _shape(made)


def _shape(deployment: DeploymentResponse | RunnerDeployment) -> tuple[object, ...]:
    """Return what else of a deployment is ours to say."""
    schedules = deployment.schedules or ()
    return (
        deployment.version,
        deployment.description,
        set(deployment.tags),
        deployment.entrypoint,
        deployment.work_pool_name,
        deployment.paused or False,
        sorted((repr(each.schedule), each.active, repr(each.parameters)) for each in schedules),
    )


async def _delete_others(
    client: PrefectClient, found: Mapping[str, DeploymentResponse], names: set[str]
) -> tuple[str, ...]:
    """Delete deployments of ours that nothing stands for any more."""
    gone = {
        name: each
        for name, each in found.items()
        if name not in names and each.work_pool_name == POOL
    }
    for each in gone.values():
        await client.delete_deployment(each.id)
    return tuple(gone)


def defaults(entry: Entry, target: dict[str, Any]) -> dict[str, Any]:
    """Return what a flow works with; one that knows builders alone gets nothing else."""
    workshop = asdict(workshop_of(Target(**target)))
    known = {"target": target, "workshop": workshop}
    return {name: known[name] for name in entry.flow.parameters.properties if name in known}


def main() -> None:
    """Register with the target that this instance was given; print what was deleted."""
    target = instance_target()
    as_json = TypeAdapter(Target).dump_python(target, mode="json")
    for name in asyncio.run(register(as_json, offers(registered(), target))):
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
