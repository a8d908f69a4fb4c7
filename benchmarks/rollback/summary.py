"""What the rounds of a comparison come to: medians, and Slipway's against the faster peer's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.rollback.harm import Harm

__all__ = ["GOAL", "OURS", "Result", "Summary", "rows", "summarise"]

OURS = "slipway"
GOAL = 1 / 3


@dataclass(frozen=True, slots=True)
class Result:
    """What one bad release did on one side; harm None where no user met it."""

    side: str
    scenario: str
    harm: Harm | None


@dataclass(frozen=True, slots=True)
class Summary:
    """All rounds of one scenario on one side.

    Attributes:
        seconds, bad: medians; a release that no user met did nothing.
        taken_back: in so many of the rounds.
        ratio: of Slipway's seconds to those of the faster peer that took every one back; None for
            the peers, and where none of them did.
    """

    side: str
    scenario: str
    rounds: int
    seconds: float
    bad: float
    taken_back: int
    ratio: float | None = None

    @property
    def is_reliable(self) -> bool:
        """Whether every bad release was taken back."""
        return self.taken_back == self.rounds

    @property
    def reaches_goal(self) -> bool:
        """Whether it is as much faster as it shall be, or does what no peer does."""
        return self.is_reliable and (self.ratio is None or self.ratio <= GOAL)


def summarise(results: Iterable[Result]) -> tuple[Summary, ...]:
    """Return the medians of each side in each scenario, in the order in which they came."""
    rounds: dict[tuple[str, str], list[Harm | None]] = {}
    for result in results:
        rounds.setdefault((result.side, result.scenario), []).append(result.harm)
    found = [_median(*key, suffered) for key, suffered in rounds.items()]
    return tuple(_beside_peers(each, found) if each.side == OURS else each for each in found)


def rows(summaries: Iterable[Summary]) -> Iterator[str]:
    """Write summaries as the lines of a table."""
    yield f"{'median':<10}{'it fails':<24}{'seconds':>9}{'bad':>6}{'back':>8}  to the faster peer"
    for each in summaries:
        numbers = f"{each.seconds:>9.1f}{each.bad:>6.0f}{each.taken_back:>6}/{each.rounds}"
        yield f"{each.side:<10}{each.scenario:<24}{numbers}  {_goal(each)}".rstrip()


def _median(side: str, scenario: str, suffered: list[Harm | None]) -> Summary:
    return Summary(
        side,
        scenario,
        rounds=len(suffered),
        seconds=median(harm.seconds if harm else 0.0 for harm in suffered),
        bad=median(harm.bad if harm else 0 for harm in suffered),
        taken_back=sum(harm is None or harm.stopped for harm in suffered),
    )


def _beside_peers(ours: Summary, all_sides: list[Summary]) -> Summary:
    peers = [
        each.seconds
        for each in all_sides
        if each.side != OURS and each.scenario == ours.scenario and each.is_reliable
    ]
    if not peers or min(peers) <= 0:
        return ours
    ratio = ours.seconds / min(peers)
    return Summary(
        ours.side, ours.scenario, ours.rounds, ours.seconds, ours.bad, ours.taken_back, ratio
    )


def _goal(summary: Summary) -> str:
    if summary.side != OURS:
        return ""
    reached = "reached" if summary.reaches_goal else "missed"
    told = "no peer takes it back" if summary.ratio is None else f"{summary.ratio:.2f}"
    return f"{told} (goal {GOAL:.2f}: {reached})"
