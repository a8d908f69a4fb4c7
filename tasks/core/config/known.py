"""What the checks of a file compare with."""

from dataclasses import dataclass
from datetime import date

__all__ = ["Known"]


@dataclass(frozen=True, slots=True)
class Known:
    """What the checks compare with.

    Attributes:
        components: every name that the file gives, those with faults included.
        with_port: those of them that have a `port`, right or wrong.
        today: day on which waivers are looked at; None where their expiry does not matter.
    """

    components: frozenset[str]
    with_port: frozenset[str]
    today: date | None = None
