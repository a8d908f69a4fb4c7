"""Register the catalogue at Prefect's server; safe to repeat."""

import asyncio
import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists
from prefect.types.entrypoint import EntrypointType
from pydantic import TypeAdapter

from deployments import POOL
from deployments.catalogue import CATALOGUE, Entry
from tasks.core.paths import state_dir
from tasks.core.target import Target, workshop_of

__all__ = ["defaults", "register"]


async def register(target: dict[str, Any]) -> None:
    """Create or update the work pool and each deployment, with the target as default.

    Args:
        target: what runs work with when a form or a command names nothing else.
    """
    async with get_client() as client:
        with contextlib.suppress(ObjectAlreadyExists):
            await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    for entry in CATALOGUE:
        await _deployment(entry, target).aapply()


def _deployment(entry: Entry, target: dict[str, Any]) -> RunnerDeployment:
    return RunnerDeployment.from_flow(
        entry.flow,
        name=entry.name,
        description=entry.description,
        tags=list(entry.tags),
        parameters=defaults(entry, target),
        work_pool_name=POOL,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def defaults(entry: Entry, target: dict[str, Any]) -> dict[str, Any]:
    """Return what a flow works with; one that knows builders alone gets nothing else."""
    workshop = asdict(workshop_of(Target(**target)))
    known = {"target": target, "workshop": workshop}
    return {name: known[name] for name in entry.flow.parameters.properties if name in known}


def main() -> None:
    """Register with the target that this instance was given."""
    file: Path = state_dir() / "target.json"
    target = TypeAdapter(Target).validate_json(file.read_bytes())
    asyncio.run(register(TypeAdapter(Target).dump_python(target, mode="json")))


if __name__ == "__main__":
    main()
