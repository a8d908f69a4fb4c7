"""Register the catalogue at Prefect's server; safe to repeat."""

import asyncio
import contextlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
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

__all__ = ["Wanted", "defaults", "register", "wanted"]


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
        with contextlib.suppress(ObjectAlreadyExists):
            await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        for each in all_wanted:
            await _deployment(each).aapply()
        return await _delete_others(client, {each.full_name for each in all_wanted})


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


async def _delete_others(client: PrefectClient, names: set[str]) -> tuple[str, ...]:
    """Delete deployments of ours that nothing stands for any more."""
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[OURS]))
    gone = []
    for found in await client.read_deployments(deployment_filter=ours):
        name = f"{(await client.read_flow(found.flow_id)).name}/{found.name}"
        if name not in names and found.work_pool_name == POOL:
            await client.delete_deployment(found.id)
            gone.append(name)
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
