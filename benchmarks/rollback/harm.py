"""What a bad release did to its users, read from the answers that they got."""

from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["QUIET_SECONDS", "Answer", "Harm", "Heard", "harm", "is_over"]

QUIET_SECONDS = 20.0
"""A release that fails one request in five does not stay silent for so long by chance."""
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer from the public route.

    Attributes:
        at: seconds since the load began.
        status: of HTTP; 0 where the connection broke.
        release: as the answer's X-Release says; empty where it says nothing.
    """

    at: float
    status: int
    release: str

    @property
    def is_bad(self) -> bool:
        """Whether a user was failed."""
        return self.status == 0 or self.status >= SERVER_ERROR


@dataclass(slots=True)
class Heard:
    """The answers to a load, in the order in which they came."""

    answers: list[Answer] = field(default_factory=list)

    def __call__(self, second: float, status: int, release: str) -> None:
        """Keep one."""
        self.answers.append(Answer(second, status, release))

    def now(self) -> float:
        """Return the seconds since the load began, as far as answers tell."""
        return self.answers[-1].at if self.answers else 0.0

    def since(self, instant: float) -> tuple[Answer, ...]:
        """Return the answers to what was asked from an instant on."""
        return tuple(each for each in tuple(self.answers) if each.at >= instant)


@dataclass(frozen=True, slots=True)
class Harm:
    """What one release did.

    Attributes:
        seconds: from its first bad answer to its last one.
        bad: how many there were.
        others: bad answers that no release gave, or another one: the price of the switching.
        stopped: it has been quiet since, so that somebody took it back.
    """

    seconds: float
    bad: int
    others: int
    stopped: bool


def harm(answers: Iterable[Answer], release: str) -> Harm | None:
    """Return what a release did to its users, None where it did nothing."""
    known = sorted(answers, key=lambda each: each.at)
    bad = [each.at for each in known if each.is_bad and each.release == release]
    if not bad:
        return None
    others = sum(each.is_bad and each.release != release for each in known)
    quiet = known[-1].at - bad[-1] >= QUIET_SECONDS
    return Harm(bad[-1] - bad[0], len(bad), others, stopped=quiet)


def is_over(answers: Iterable[Answer], release: str, patience_seconds: float) -> bool:
    """Say whether it is known how a release's harm ended: it stopped, or nobody stops it."""
    answers = tuple(answers)
    done = harm(answers, release)
    first = min((each.at for each in answers if each.is_bad and each.release == release), default=0)
    now = max((each.at for each in answers), default=0.0)
    return done is not None and (done.stopped or now - first >= patience_seconds)
