"""The words under which a rollout remembers what is behind it, beside its record."""

__all__ = [
    "APPLIED",
    "BACK",
    "BAKED",
    "BESIDE",
    "BESIDE_PROBED",
    "BESIDE_READY",
    "BESIDE_ROUTED",
    "BROUGHT",
    "HANDED_BACK",
    "MADE_AGAIN",
    "PROBED",
    "PROMOTING",
    "READY",
    "RECOVERED",
    "RENEWED_BACK",
    "RESTED",
    "RESTORED",
    "SERVED",
    "WOKEN",
    "asked",
    "beside_applied",
    "beside_ready",
    "grown",
    "hook_done",
    "hook_started",
    "opened",
    "scaled_to",
    "shifted",
    "watched",
    "wave_applied",
    "wave_ready",
]

APPLIED = "applied"
"""Every object of the release was applied, for a canary into the stable place."""
READY = "ready"
PROBED = "probed"

BROUGHT = "new objects applied"
"""What the live release does not have, and copies of changed configuration, are there."""
BESIDE = "canary applied"
BESIDE_READY = "canary ready"
BESIDE_PROBED = "canary probed"
BESIDE_ROUTED = "canary routed"
"""The public route was probed as testers see it."""
RESTED = "stable at rest"
"""The stable pods were scaled down, for standby is off."""
WOKEN = "stable woken"
BAKED = "baked"
PROMOTING = "promoting"
"""The stable objects are touched from here on: the way back has to apply them again."""
HANDED_BACK = "promoted"
"""The traffic went from the canary to the stable pods, which run the new release by now."""

SERVED = "services probed"
"""Services and routes were asked after they had come back to the stable pods."""

RESTORED = "restored"
"""Every object of the release before was applied again."""
RECOVERED = "recovered"
BACK = "back"
"""The traffic went from the canary back to the stable pods, which run the old release."""

MADE_AGAIN = "made again"
"""Stable Deployments that somebody had deleted were applied again."""
RENEWED_BACK = "renewed back"
"""The release before was applied to what had changed in place."""


def scaled_to(step: int) -> str:
    """The canary has the size of a step, counted from 0; it may not be ready yet."""
    return f"step {step} scaled"


def grown(step: int) -> str:
    """The pods of a step are ready; from here on they are probed."""
    return f"step {step} grown"


def shifted(step: int) -> str:
    """The traffic has the share of a step."""
    return f"step {step} shifted"


def watched(step: int) -> str:
    """A step was watched for long enough and nothing spoke against it."""
    return f"step {step} watched"


def wave_applied(number: int) -> str:
    """One wave of a release's objects was applied."""
    return f"wave {number} applied"


def wave_ready(number: int) -> str:
    """The workloads of a wave were ready."""
    return f"wave {number} ready"


def hook_started(job: str) -> str:
    """The Job of a hook was made for this rollout."""
    return f"hook {job} started"


def hook_done(job: str) -> str:
    """The Job of a hook has ended well."""
    return f"hook {job} done"


def beside_applied(number: int) -> str:
    """The canaries of components that others depend on were started."""
    return f"canary wave {number} applied"


def beside_ready(number: int) -> str:
    """Those canaries are ready."""
    return f"canary wave {number} ready"


def asked(step: int) -> str:
    """A step waits for a person's yes."""
    return f"step {step} asked"


def opened(step: int) -> str:
    """A person has said yes after a step."""
    return f"step {step} opened"
