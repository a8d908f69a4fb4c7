"""What an environment has lived through, as far as others than a rollout need to know it."""

from dataclasses import dataclass

from tasks.core.application import Approval
from tasks.core.model import Record
from tasks.core.slos import Slos
from tasks.core.strategy import RollbackRules

__all__ = ["Past"]


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
        unwanted: id of the release that a rollback asked for now is against.
    """

    records: tuple[Record, ...]
    live: int | None
    goal: int | None
    bad: tuple[str, ...]
    rules: RollbackRules
    approval: Approval | None
    slos: Slos
    unwanted: str | None = None

    def record(self, number: int | None) -> Record | None:
        """Return a rollout by its number, None where there is none."""
        return next((each for each in self.records if each.number == number), None)
