"""Starting a run."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from httpx import codes
from pydantic import TypeAdapter

from infra.server.api import Api, may_pass
from tasks.core.errors import ConfigError, SlipwayError, Unavailable
from tasks.source.decide import require_storable

__all__ = ["Launcher", "start"]

_PLAIN = TypeAdapter(dict[str, Any])


@dataclass(slots=True)
class Launcher:
    """Creates runs, many of them over one connection, and remembers the deployments' ids."""

    _api: Api | None = None
    _ids: dict[str, str] = field(default_factory=dict)

    def create(self, deployment: str, wanted: dict[str, Any]) -> UUID:
        """Create a run as it is wanted; see `start` for what may be raised."""
        with suppress(SlipwayError):
            if self._api is not None:
                return self._create(deployment, wanted)
        self.close()  # it may have another id by now, and the server another password
        return self._create(deployment, wanted)

    def close(self) -> None:
        """End the connection; the next run gets another one."""
        if self._api is not None:
            self._api.http.close()
        self._api = None
        self._ids.clear()

    def _create(self, deployment: str, wanted: dict[str, Any]) -> UUID:
        self._api = api = self._api or Api.connect()
        with _translated(deployment):
            if deployment not in self._ids:
                self._ids[deployment] = api.get(f"/deployments/name/{deployment}")["id"]
            made = api.post(f"/deployments/{self._ids[deployment]}/create_flow_run", wanted)
        return UUID(made["id"])


def start(  # noqa: PLR0913 one parameter a property of the run
    deployment: str,
    parameters: dict[str, Any],
    name: str | None = None,
    key: str | None = None,
    tags: tuple[str, ...] = (),
    *,
    over: Launcher | None = None,
) -> UUID:
    """Create a run of a deployment (`flow/name`) and return its id.

    Args:
        deployment: as Prefect names it.
        parameters: of the flow.
        name: of the run.
        key: asked again with the same one, the run that is there already comes back.
        tags: of the run, beside its deployment's.
        over: what creates the run; one for this run alone where None.

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
    if over is not None:
        # its parameters are made here, and the flow itself looks at them again
        return over.create(deployment, {**wanted, "enforce_parameter_schema": False})
    with closing(Launcher()) as launcher:
        return launcher.create(deployment, wanted)


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
