"""Bringing the choices of forms up to date after something was rolled out."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.exceptions import ObjectNotFound

from deployments.catalogue import CATALOGUE
from deployments.forms import Offer, shown
from deployments.offers import offers
from deployments.registered import Registered
from deployments.target import instance_target

__all__ = ["refresh", "update"]


async def refresh(client: PrefectClient, applications: Iterable[Registered]) -> tuple[str, ...]:
    """Read applications' histories and bring their forms up to date; return those that changed."""
    found = await asyncio.to_thread(lambda: offers(applications, instance_target()))
    return tuple([name for offer in found for name in await update(client, offer)])


async def update(client: PrefectClient, offer: Offer) -> tuple[str, ...]:
    """Bring an application's forms up to date, and return the names of those that changed.

    A form that is not there was unregistered meanwhile, or is not registered yet.
    """
    changed = []
    for name, schema in _forms(offer):
        try:
            deployment = await client.read_deployment_by_name(name)
        except ObjectNotFound:
            continue
        if deployment.parameter_openapi_schema != schema:
            await client.update_deployment(
                deployment.id, DeploymentUpdate.model_validate({"parameter_openapi_schema": schema})
            )
            changed.append(name)
    return tuple(changed)


def _forms(offer: Offer) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in CATALOGUE:
        if entry.form is not None:
            yield f"{entry.name}/{offer.name}", shown(entry.form(offer))
