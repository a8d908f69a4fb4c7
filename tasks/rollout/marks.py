"""The words under which a rollout remembers what is behind it, beside its record."""

__all__ = [
    "APPLIED",
    "BACK",
    "BAKED",
    "BESIDE",
    "BESIDE_PROBED",
    "BESIDE_READY",
    "HANDED_BACK",
    "PROBED",
    "READY",
    "RECOVERED",
    "RENEWED_BACK",
    "RESTORED",
    "asked",
    "opened",
    "scaled_to",
    "shifted",
    "watched",
]

APPLIED = "applied"
"""Every object of the release was applied; for a canary: its promotion began."""
READY = "ready"
PROBED = "probed"

BESIDE = "canary applied"
BESIDE_READY = "canary ready"
BESIDE_PROBED = "canary probed"
BAKED = "baked"
HANDED_BACK = "promoted"
"""The traffic went from the canary to the stable pods, which run the new release by now."""

RESTORED = "restored"
"""Every object of the release before was applied again."""
RECOVERED = "recovered"
BACK = "back"
"""The traffic went from the canary back to the stable pods, which run the old release."""

RENEWED_BACK = "renewed back"
"""The release before was applied to what had changed in place."""


def scaled_to(step: int) -> str:
    """The canary has the size of a step, counted from 0; it may not be ready yet."""
    return f"step {step} scaled"


def shifted(step: int) -> str:
    """The traffic has the share of a step."""
    return f"step {step} shifted"


def watched(step: int) -> str:
    """A step was watched for long enough and nothing spoke against it."""
    return f"step {step} watched"


def asked(step: int) -> str:
    """A step waits for a person's yes."""
    return f"step {step} asked"


def opened(step: int) -> str:
    """A person has said yes after a step."""
    return f"step {step} opened"
