"""What people fill in to start a flow for one application: everything else is filled in already.

Prefect's UI shows each property of a deployment's schema as a field: one with an `enum` is a list
to choose from, and what is not in the schema is not shown; its server holds runs to the schema.
Source: prefect/server/api/deployments.py, create_flow_run_from_deployment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.core.application import Application, Environment

__all__ = ["Field", "Form", "Offer", "deliver", "promote", "redeploy", "rollback", "shown"]

DEFAULT_BRANCH = "HEAD"


@dataclass(frozen=True, slots=True)
class Offer:
    """An application that is registered, with what its forms offer.

    Attributes:
        address: where the repository is cloned from.
        application: its slipway.yaml when it was registered.
        target: what runs work with, as JSON.
        rollouts: by environment, a line for each that can be chosen, the newest first.
        live: those lines that are live: nothing goes back to them.
    """

    address: str
    application: Application
    target: Mapping[str, Any]
    rollouts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    live: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Name of the application."""
        return self.application.application

    @property
    def environments(self) -> tuple[str, ...]:
        """Names, in the order of promotion."""
        return tuple(self.application.environments)


@dataclass(frozen=True, slots=True)
class Field:
    """One field as people see it.

    Attributes:
        title: over the field.
        says: below it.
        choices: what may be chosen; anything can be written where there are none.
        is_required: it has to be filled in.
        default: what stands in it at first; nothing where None.
    """

    title: str
    says: str
    choices: tuple[str, ...] = ()
    is_required: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """What a deployment for one application fills in by itself, and asks.

    Attributes:
        says: markdown above the form: what the flow does and what happens then.
        pinned: parameters that are filled in, and not shown.
        fields: the others, by parameter, in the order in which they are shown.
    """

    says: str
    pinned: Mapping[str, Any]
    fields: Mapping[str, Field]


def shown(form: Form) -> dict[str, Any]:
    """Return the schema of a form's fields, as Prefect keeps it (OpenAPI, with a position each)."""
    return {
        "title": "Parameters",
        "type": "object",
        "properties": {
            name: _property(each, position)
            for position, (name, each) in enumerate(form.fields.items())
        },
        "required": [name for name, each in form.fields.items() if each.is_required],
        "definitions": {},
    }


def deliver(offer: Offer) -> Form:
    """Offer a delivery of any revision."""
    asked = [name for name, each in offer.application.environments.items() if each.approval]
    waits = f" It waits for approvers before {_listed(asked)}." if asked else ""
    return Form(
        says=f"Takes a commit of **{offer.name}** through lint, test, build, scan and push, and "
        f"rolls it out environment by environment: {' → '.join(offer.environments)}.{waits}\n\n"
        "**Then**: each rollout is watched; one that fails goes back by itself, and the delivery "
        "ends there.",
        pinned=_from_repository(offer),
        fields={
            "revision": Field(
                "Revision",
                "Commit, tag or branch; HEAD is the default branch's newest commit.",
                default=DEFAULT_BRANCH,
            ),
            "until": Field(
                "Until", "Last environment to go to; all where empty.", offer.environments
            ),
            "despite": _despite(),
        },
    )


def promote(offer: Offer) -> Form:
    """Offer a release of one environment to another one."""
    return Form(
        says=f"Brings a release of **{offer.name}** that runs, or ran, in one environment to "
        "another one. Nothing is built: the same images, and the manifests that were rendered "
        "with them.\n\n**Then**: the same gates as in a delivery (freezes, approvers, the "
        "environment's lock), the same rollout, the same way back.",
        pinned=_from_repository(offer),
        fields={
            "environment": Field(
                "To", "Environment that gets the release.", offer.environments, is_required=True
            ),
            "release": Field(
                "Release",
                "From an environment's history, the newest first; what is live in the environment "
                "before where empty.",
                _all_rollouts(offer),
            ),
            "origin": Field(
                "From",
                "Environment whose live release is meant where none is chosen; the one before "
                "where empty.",
                offer.environments,
            ),
            "despite": _despite(),
        },
    )


def redeploy(offer: Offer) -> Form:
    """Offer a night's work by day."""
    return Form(
        says=f"Looks at what is live of **{offer.name}**: builds again, from the commit that is "
        "live, what stands on older base images than today's, and looks for new findings in what "
        "runs.\n\n**Then**: what has changed is rolled out through the same gates as a delivery; "
        "where nothing has, nothing is.",
        pinned=_from_repository(offer),
        fields={
            "environment": Field(
                "Environment", "The only one; all where empty.", offer.environments
            )
        },
    )


def rollback(offer: Offer) -> Form:
    """Offer every environment's earlier rollouts."""
    environments = offer.application.environments
    return Form(
        says=f"Takes **{offer.name}** back to a whole earlier release, configuration included, "
        "from the environment's own records: without Git, without a build.\n\n**Then**: an "
        "approver is asked where the environment has any and slipway.yaml asks them about "
        "rollbacks; a rollout under way goes back by traffic; the release that is left is marked "
        "bad and not deployed again unasked.",
        pinned={
            "application": offer.name,
            "target": offer.target,
            "places": {name: _where(each) for name, each in environments.items()},
        },
        fields={
            "environment": Field(
                "Environment", "What is taken back.", offer.environments, is_required=True
            ),
            "to": Field(
                "To",
                "A good rollout of that environment, the newest first; the one before the live "
                "one where empty.",
                tuple(line for line in _all_rollouts(offer) if line not in offer.live),
            ),
            "reason": Field("Reason", "Stands in the history.", is_required=True),
            "actor": Field("Who asks", "The approver where empty."),
        },
    )


def _property(asked: Field, position: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "title": asked.title,
        "description": asked.says,
        "type": "string",
        "position": position,
    }
    if asked.choices:
        found["enum"] = list(asked.choices)
    if asked.default is not None:
        found["default"] = asked.default
    return found


def _from_repository(offer: Offer) -> dict[str, Any]:
    """Return what every flow is given that begins with the repository."""
    return {"repository": offer.address, "target": offer.target}


def _despite() -> Field:
    return Field(
        "Despite", "Why a release that was taken back before is tried again; else leave it empty."
    )


def _all_rollouts(offer: Offer) -> tuple[str, ...]:
    """Return every environment's lines, the last environment's first: that is where it burns."""
    backwards = reversed(offer.environments)
    return tuple(line for name in backwards for line in offer.rollouts.get(name, ()))


def _where(environment: Environment) -> dict[str, str]:
    return {"namespace": environment.namespace, "context": environment.context or ""}


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
