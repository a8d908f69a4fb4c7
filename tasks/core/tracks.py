"""Stable and canary: how the pods, and the names, of the two are told apart."""

import hashlib
from typing import Final, Literal

__all__ = ["CANARY", "STABLE", "TRACK", "TRACKS", "Track", "canary_name"]

TRACK = "slipway.dev/track"
"""Label of pods, with the value STABLE or CANARY."""

Track = Literal["stable", "canary"]
"""Which release's pods: the one that was there before, or the one that comes in."""

STABLE: Final = "stable"
CANARY: Final = "canary"
TRACKS: tuple[Track, Track] = (STABLE, CANARY)

LONGEST = 46
"""Longest name of a Deployment whose pods' names begin with the whole of it: 63 less the two
parts that Kubernetes adds (`-6d4cf56db6-x7vzk`)."""


def canary_name(name: str) -> str:
    """Return the name of an object's canary: `NAME-canary`, long names shortened to a hash."""
    full = f"{name}-{CANARY}"
    if len(full) <= LONGEST:
        return full
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    tail = f"-{digest}-{CANARY}"
    return name[: LONGEST - len(tail)].rstrip("-.") + tail
