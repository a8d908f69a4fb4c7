"""The deployments, as data that refers to the flows themselves.

A flow is added by one line: an `Entry` with its tags. One that people start for an application
also names its form, a function of forms.py from what is registered to fields; one that starts by
itself names its schedules. `prefect.yaml` gets the same line, and a test compares the two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prefect import Flow
from prefect.schedules import Schedule

from deployments import OURS, forms, nights
from deployments.forms import Form, Offer
from flows.check import check
from flows.deliver import deliver
from flows.guard import guard
from flows.preview import preview, remove_preview
from flows.promotion import promotion
from flows.redeploy import redeploy
from flows.reminding import remind
from flows.rollback import rollback
from flows.turns import NIGHTLY

__all__ = ["CATALOGUE", "Entry"]


def _never(_offer: Offer) -> tuple[Schedule, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One flow: a deployment `flow/flow` for any repository, and one for each application.

    Attributes:
        flow: the flow object itself.
        kind: tag that people filter by in the UI.
        form: makes the form of an application's own deployment, `flow/application`; None where
            people do not start it for one.
        schedules: when that one starts by itself.
    """

    flow: Flow[..., Any]
    kind: str
    form: Callable[[Offer], Form] | None = None
    schedules: Callable[[Offer], tuple[Schedule, ...]] = _never

    @property
    def tags(self) -> tuple[str, ...]:
        """What marks a deployment as Slipway's, and says of what kind it is."""
        return (OURS, self.kind)

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
    Entry(deliver, "delivery", forms.deliver),
    Entry(promotion, "delivery", forms.promote),
    Entry(check, "pull request"),
    Entry(preview, "pull request"),
    Entry(remove_preview, "pull request"),
    Entry(rollback, "rollback", forms.rollback),
    Entry(guard, "rollback"),
    Entry(redeploy, NIGHTLY, forms.redeploy, nights.schedules),
    Entry(remind, "approval"),
)
