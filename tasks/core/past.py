"""What an environment has lived through, as far as others than a rollout need to know it."""

from dataclasses import dataclass

from tasks.core.gates import Approval
from tasks.core.record import Record, RolloutState
from tasks.core.slos import Slos
from tasks.core.strategy import RollbackRules

__all__ = ["Past", "named"]


@dataclass(frozen=True, slots=True)
class Past:
    """Records and rules of an environment, from its own cluster.

    Attributes:
        records: newest first, without manifests and plans.
        live: number of the rollout that is live, None before the first.
        goal: number of the rollout that a rollback goes to, None where there is none to go to.
        bad: ids of releases that were taken back.
        rules: of the live release's slipway.yaml.
        approval: likewise; None where nobody is asked about rollouts.
        slos: likewise.
        promoting: the rollout under way has passed its bake: its analysis is over.
        held: why the analysis of the rollout under way cannot judge now; empty where it can.
    """

    records: tuple[Record, ...]
    live: int | None
    goal: int | None
    bad: tuple[str, ...]
    rules: RollbackRules
    approval: Approval | None
    slos: Slos
    promoting: bool = False
    held: str = ""

    @property
    def newest(self) -> Record | None:
        """The rollout that began last, None before the first."""
        return next(iter(self.records), None)

    @property
    def under_way(self) -> Record | None:
        """The rollout that brings a release in and has not ended; None where there is none."""
        newest = self.newest
        if newest is None or newest.state is not RolloutState.STARTED:
            return None
        return newest if newest.restores is None else None

    @property
    def at_stake(self) -> Record | None:
        """What a rollback without a goal takes back: what is under way, else what is live."""
        return self.under_way or self.record(self.live)

    @property
    def way_back(self) -> int | None:
        """Number of the rollout that it then goes to, None where there is none."""
        return self.live if self.under_way else self.goal

    def record(self, number: int | None) -> Record | None:
        """Return a rollout by its number, None where there is none."""
        return next((each for each in self.records if each.number == number), None)


def named(to: int | str | None) -> int | str | None:
    """Return what somebody names as the goal of a rollback: a rollout's number or a release's id.

    Forms and command lines give text, `12` for rollout 12; an empty field names nothing.
    """
    if not isinstance(to, str):
        return to
    word = to.strip()
    return int(word) if word.isdecimal() else word or None
