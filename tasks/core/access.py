"""Who of a release can be asked at a moment of its rollout, and on which ways."""

from dataclasses import dataclass

from tasks.core.probes import EVERY_WAY, Via
from tasks.core.strategy import Testers
from tasks.core.tracks import Track

__all__ = ["EVERYWHERE", "Access"]


@dataclass(frozen=True, slots=True)
class Access:
    """What leads to a release now, and to nothing else.

    Attributes:
        track: whether the release runs as the canary beside the stable one, or in its place.
        components: those that are asked; every one where None. The others have no pods there.
        via: the ways that lead to the release by now; probes that go another one wait.
        testers: what leads a request of the public route to the canary; nothing where None.
    """

    track: Track = "stable"
    components: frozenset[str] | None = None
    via: frozenset[Via] = EVERY_WAY
    testers: Testers | None = None


EVERYWHERE = Access()
"""The release is in its place and answers everything."""
