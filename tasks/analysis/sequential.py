"""Sequential tests: evidence that may be looked at as often as one likes.

Each function returns the logarithm of an e-value, a bet against a hypothesis: were it true, the
chance that the bet ever grows by a factor of 1/alpha, at whichever look, is at most alpha (Ville's
inequality; Ramdas, Grünwald, Vovk, Shafer: Game-theoretic statistics and safe anytime-valid
inference, Statistical Science 2023). So nothing has to be corrected for the number of looks.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.analysis.model import NOTHING, Count, Look

__all__ = [
    "WHOLE",
    "Before",
    "Bet",
    "Bounds",
    "average",
    "harmless_after",
    "harmless_beside",
    "harmless_itself",
    "harmless_shift",
    "shared",
    "upper_limit",
    "worse",
]

RATIOS = (1.5, 2.0, 3.0, 6.0, 20.0, 100.0)
"""How many times the old release's rate the new one's may be: the bets against equality."""
STEPS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""How far from the highest rate before to 1 the rate after may be: the bets against no change."""
CLEARLY = 2.0
"""A release that is not so many times as bad as the old one passes."""
DRIFT = 2.0
"""Twice the worst rate before the rollout may be the hour of the day."""
PIECE = 1000.0
"""Events that a piece of the baseline has to have, so that its rate means something."""
FEW = 5
"""Pieces of time that a variance is estimated from."""
BLIND = 0.5
"""Where the old release may have been so bad, nothing after it can be called worse."""
LEAST = 0.001
"""A rate of which nothing has been seen yet."""
WHOLE = 100
"""Percent of the traffic at which nothing runs beside the new release."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How sure one indicator has to be.

    Attributes:
        evidence: logarithm of the e-value that a failure needs.
        baseline: chance that the limit taken from one component's baseline is too low.
        parts: how many components share the money that is bet.
    """

    evidence: float
    baseline: float
    parts: int = 1

    @classmethod
    def of(cls, false_alarms: float, indicators: int, workloads: int = 1) -> "Bounds":
        """Share out the chance of a false alarm, 0 to 1, among all indicators (Bonferroni)."""
        each, parts = false_alarms / max(1, indicators), max(1, workloads)
        return cls(-math.log(0.9 * each), 0.1 * each / parts, parts)


@dataclass(frozen=True, slots=True)
class Before:
    """What the old release's history allows, where nothing runs beside the new one.

    Attributes:
        rate: share of bad events, 0 to 1, that the new release may have.
        clumping: how many bad events come at a time; 1 where each comes alone.
    """

    rate: float
    clumping: float

    @classmethod
    def of(cls, baseline: Sequence[Count], chance: float) -> "Before":
        """Read it from pieces of time; but for this chance the old release's rate was lower."""
        worst: float | None = None
        for piece in _pieces(baseline):
            if worst is None or not _rules_out(piece, worst, chance):
                worst = upper_limit(piece, chance)
        return cls(DRIFT * (1.0 if worst is None else worst), _clumping(baseline))

    @property
    def alternatives(self) -> tuple[tuple[float, float], ...]:
        """For each higher rate the logarithms that a bad and a good event multiply the bet by."""
        rates = [self.rate + (1 - self.rate) * step for step in STEPS]
        return tuple(
            (
                math.log(rate / self.rate) / self.clumping,
                math.log((1 - rate) / (1 - self.rate)) / self.clumping,
            )
            for rate in rates
        )


@dataclass(slots=True)
class Wealth:
    """What a bet has won, in logarithms, for each of its alternatives.

    For each alternative, the look that speaks the loudest does not count. One burst is no release.
    And it costs nothing in validity: what is left is never more than the bet that leaves out one
    look that was named beforehand, such as the first.
    """

    won: list[float]
    loudest: list[float]

    @classmethod
    def on(cls, alternatives: Sequence[object]) -> "Wealth":
        """Begin with 1, to be had in equal parts."""
        return cls([0.0] * len(alternatives), [0.0] * len(alternatives))

    def add(self, factors: Iterable[float]) -> None:
        """Multiply by what one look gives to each alternative."""
        for index, factor in enumerate(factors):
            self.won[index] += factor
            self.loudest[index] = max(self.loudest[index], factor)

    @property
    def value(self) -> float:
        """The average over the alternatives."""
        return average([won - loudest for won, loudest in zip(self.won, self.loudest, strict=True)])


class Bet:
    """A bet that one component of the new release fails more often than the old one's.

    Beside each other, in each look: of the bad events of both releases, the new one's share is
    binomial, whatever the common rate is at that moment. Conditioning on their number takes out
    every disturbance that both feel. Where the rates are high the share varies less than that
    (Hoeffding 1963, theorem 4), and the bet stays fair. After each other: bad events against
    the highest rate that the history allows. The bets of a rollout multiply.

    Components are never added up: where their rates and their shares of the canary differ, two
    releases that are alike in each would look different together (Simpson).
    """

    def __init__(self, before: Before) -> None:
        self._after = before.alternatives if before.rate < BLIND else ()
        self._won_beside = Wealth.on(RATIOS)
        self._won_after = Wealth.on(self._after)

    def add(self, look: Look) -> None:
        """Bet on a look; one that only testers came in is none."""
        if look.share == WHOLE:
            self._won_after.add(_after(look.canary, *logs) for logs in self._after)
        elif look.share > 0 and look.speaks:
            self._won_beside.add(_beside(look, ratio) for ratio in RATIOS)

    @property
    def evidence(self) -> float:
        """The logarithm of the e-value."""
        return self._won_beside.value + self._won_after.value


def worse(looks: Iterable[Look], before: Before) -> float:
    """Return the evidence that one component of the new release fails more often."""
    bet = Bet(before)
    for look in looks:
        bet.add(look)
    return bet.evidence


def harmless_beside(looks: Iterable[Look]) -> float:
    """Bet that the new release is not clearly worse than the old one beside it."""
    return -sum(_beside(look, CLEARLY) for look in looks if look.share < WHOLE and look.speaks)


def harmless_after(new: Count, old: Count) -> float:
    """Bet that the new release is not clearly worse than the old one was before it."""
    bad = CLEARLY * old.rate
    if old.bad <= 0:
        return 0.0
    return harmless_itself(new, bad, old.rate) if bad < 1 else math.inf


def harmless_shift(new: Count, old: Count, clear: float) -> float:
    """Bet that the new release has not so many more of its requests above an edge."""
    good = max(old.rate, LEAST)
    possible = old.total > 0 and good + clear < 1
    return harmless_itself(new, good + clear, good) if possible else math.inf


def harmless_itself(count: Count, bad: float, good: float) -> float:
    """Bet that the rate is not `bad` or more but rather `good`; both 0 to 1."""
    return count.bad * math.log(good / bad) + (count.total - count.bad) * (
        math.log1p(-good) - math.log1p(-bad)
    )


def average(bets: Sequence[float]) -> float:
    """Average e-values, which is an e-value however they depend on each other."""
    return _log_sum(bets) - math.log(len(bets)) if bets else 0.0


def shared(bets: Sequence[float], parts: int) -> float:
    """Average the bets of an application's components, each of which got a part of the money.

    A component that says nothing keeps its part. An average of e-values is one even where one
    failed request is counted by two components, as by the API and by the proxy before it: then
    their bets depend on each other, and the product would be none.
    """
    return average([*bets, *[0.0] * (parts - len(bets))])


def upper_limit(count: Count, chance: float) -> float:
    """Return the rate that, but for this chance, would have shown more bad events than these.

    Chernoff's bound: n KL(bad/n, limit) = ln(1/chance), by bisection.
    """
    low, high = min(count.rate, 1.0), 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if _rules_out(count, middle, chance):
            high = middle
        else:
            low = middle
    return high


def _rules_out(count: Count, rate: float, chance: float) -> bool:
    """Say whether a rate would, but for this chance, have shown more bad events than these."""
    less = count.rate <= rate
    return less and count.total * _divergence(count.rate, rate) >= -math.log(chance)


def _beside(look: Look, ratio: float) -> float:
    alike = math.log1p((ratio - 1) * look.part)
    return look.canary.bad * math.log(ratio) - look.bad * alike


def _after(count: Count, bad: float, good: float) -> float:
    return count.bad * bad + max(0.0, count.total - count.bad) * good


def _clumping(baseline: Sequence[Count]) -> float:
    """Estimate how many bad events come at a time: their variance over what Poisson's law says.

    Pearson's statistic over its degrees of freedom (McCullagh and Nelder, Generalized linear
    models, 4.5), with half as much again for having estimated it.
    """
    rate = sum(baseline, NOTHING).rate
    pieces = [piece for piece in baseline if piece.total > 0]
    if rate <= 0 or len(pieces) < FEW:
        return 1.0
    squares = sum((piece.bad - rate * piece.total) ** 2 / (rate * piece.total) for piece in pieces)
    return max(1.0, 1.5 * squares / (len(pieces) - 1))


def _pieces(baseline: Sequence[Count]) -> list[Count]:
    """Join neighbouring pieces until each has enough events; what is left joins the last."""
    pieces = [NOTHING]
    for count in baseline:
        pieces[-1] += count
        if pieces[-1].total >= PIECE:
            pieces.append(NOTHING)
    if len(pieces) > 1:
        rest = pieces.pop()
        pieces[-1] += rest
    return [piece for piece in pieces if piece.total > 0]


def _divergence(rate: float, other: float) -> float:
    """Return the Kullback-Leibler divergence of two Bernoulli distributions."""
    if other >= 1:
        return math.inf if rate < 1 else 0.0
    bad = rate * math.log(rate / other) if rate > 0 else 0.0
    good = (1 - rate) * math.log((1 - rate) / (1 - other)) if rate < 1 else 0.0
    return bad + good


def _log_sum(values: Sequence[float]) -> float:
    largest = max(values)
    return largest + math.log(sum(math.exp(value - largest) for value in values))
