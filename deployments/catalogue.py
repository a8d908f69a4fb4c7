"""The deployments, as data that refers to the flows themselves."""

from dataclasses import dataclass
from typing import Any

from prefect import Flow

from flows.check import check
from flows.deliver import deliver
from flows.guard import guard
from flows.preview import preview, remove_preview
from flows.rollback import rollback

__all__ = ["CATALOGUE", "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One deployment.

    Attributes:
        flow: the flow object itself.
        tags: what people filter by in the UI.
    """

    flow: Flow[..., Any]
    tags: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the deployment: the flow's own."""
        return self.flow.name

    @property
    def entrypoint(self) -> str:
        """Where a worker finds the flow: module path and function."""
        return f"{self.flow.fn.__module__}.{self.flow.fn.__name__}"

    @property
    def description(self) -> str:
        """First line of the flow's docstring."""
        return (self.flow.description or "").strip().splitlines()[0]


CATALOGUE = (
    Entry(deliver, ("delivery",)),
    Entry(check, ("pull request",)),
    Entry(preview, ("pull request",)),
    Entry(remove_preview, ("pull request",)),
    Entry(rollback, ("rollback",)),
    Entry(guard, ("rollback",)),
)
