"""Starting a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
from httpx import codes
from pydantic import TypeAdapter

from infra.server.api import Api, may_pass
from tasks.core.errors import ConfigError, Unavailable
from tasks.source.decide import require_storable

__all__ = ["start"]

_PLAIN = TypeAdapter(dict[str, Any])


def start(
    deployment: str,
    parameters: dict[str, Any],
    name: str | None = None,
    key: str | None = None,
    tags: tuple[str, ...] = (),
) -> UUID:
    """Create a run of a deployment (`flow/name`) and return its id.

    Args:
        deployment: as Prefect names it.
        parameters: of the flow.
        name: of the run.
        key: asked again with the same one, the run that is there already comes back.
        tags: of the run, beside its deployment's.

    Raises:
        ConfigError: a parameter holds credentials, which would be stored with the run, or
            Prefect refuses the run.
        Unavailable: the flows are not registered, or Prefect does not answer.
    """
    require_storable(parameters.get("repository", ""))
    wanted = {
        "parameters": _PLAIN.dump_python(parameters, mode="json"),
        "name": name,
        "tags": tags,
        # with a key of its own, a request whose answer was lost can be sent again
        "idempotency_key": key or str(uuid4()),
    }
    api = Api.connect()
    with _translated(deployment), api.http:
        found = api.get(f"/deployments/name/{deployment}")
        return UUID(api.post(f"/deployments/{found['id']}/create_flow_run", wanted)["id"])


@contextmanager
def _translated(deployment: str) -> Iterator[None]:
    """Tell a server that says no from one that may say yes later."""
    where = f"Prefect deployment {deployment}"
    try:
        yield
    except httpx.HTTPStatusError as error:
        if error.response.status_code == codes.NOT_FOUND:
            raise Unavailable("is not registered", where, next_step="slipway up") from error
        what = f"Prefect refuses the run ({error.response.status_code}: {error.response.text})"
        if may_pass(error):
            raise Unavailable(what, where, next_step="slipway status") from error
        raise ConfigError(what, where) from error
    except httpx.TransportError as error:
        what = f"Prefect does not answer ({error})"
        raise Unavailable(what, where, next_step="slipway up") from error
