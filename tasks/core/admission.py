"""Who lets a release into an environment, and when: what is live has a say in what replaces it.

A commit may change slipway.yaml, and with it who is asked. So whoever had to be asked about what
is live is asked about what replaces it, and a commit that changes that is itself let in by the
rules that it changes.
"""

from dataclasses import dataclass, replace
from typing import Any

from tasks.core.application import Environment
from tasks.core.calendar import Calendar
from tasks.core.gates import Approval

__all__ = ["Admission", "admission", "guarded_as"]

KEYS = ("approval", "windows", "freezes", "overriders", "rollback", "nightly")
"""What of an environment lets something in or out, beside the gates of its strategies."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The gates before an environment as they hold for one release.

    Attributes:
        approval: who is asked; None where nobody is.
        overriders: who may open what the calendar closes, each time with a reason.
        changed: keys of slipway.yaml that say something else of this from the release on.
    """

    approval: Approval | None
    calendar: Calendar
    overriders: tuple[str, ...]
    changed: tuple[str, ...] = ()

    @property
    def asks_while_closed(self) -> bool:
        """Whether somebody is asked only because it is closed."""
        return self.approval is None and self.calendar.may_close and bool(self.overriders)


def admission(own: Environment, live: Environment | None) -> Admission:
    """Return the gates for a release that would replace another one.

    Where the live release's file asks nobody or closes nothing, the new one's is heard at once.
    What either has closed is closed.

    Args:
        own: the environment as the release's slipway.yaml describes it.
        live: as that of the live release does; None before the first.
    """
    if live is None:
        return Admission(own.approval, own.calendar, own.overriders)
    says_when = live if live.calendar.may_close else own
    return Admission(
        live.approval or own.approval,
        own.calendar.within(live.calendar),
        says_when.overriders,
        _changed(_guards(own), _guards(live)),
    )


def guarded_as(environment: Environment, other: Environment) -> Environment:
    """Return an environment with another one's rules for what comes in and is taken back."""
    return replace(environment, **{key: getattr(other, key) for key in KEYS})


def _changed(own: dict[str, object], live: dict[str, object]) -> tuple[str, ...]:
    return tuple(key for key, value in own.items() if live.get(key, value) != value)


def _guards(environment: Environment) -> dict[str, object]:
    """Return what lets something in, by the keys of slipway.yaml; of nights, whether unasked."""
    found: dict[str, Any] = {key: getattr(environment, key) for key in KEYS}
    strategies = {"": environment.strategy, **environment.strategies}
    night = found.pop("nightly")
    if night is not None and night.automatic is not None:  # older records do not say it
        found["nightly"] = night.automatic
    found["strategy"] = {
        name: tuple(step.share for step in each.canary.ladder if step.gate)
        for name, each in strategies.items()
        if each.canary is not None and any(step.gate for step in each.canary.ladder)
    }
    return found
