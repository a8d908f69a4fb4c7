"""What a verdict says, in words and numbers."""

import math
from collections.abc import Collection, Sequence

from tasks.analysis.looks import sides
from tasks.analysis.model import Count, Look
from tasks.analysis.sequential import WHOLE

__all__ = ["compared", "odds", "subject"]


def subject(name: str, component: str, components: Collection[str]) -> str:
    """Name an indicator, and the component that is shown where there are several."""
    return name if len(components) <= 1 else f"{name} of {component}"


def compared(looks: Sequence[Look], baseline: Sequence[Count]) -> str:
    """Say what both releases counted."""
    new, old = sides(looks, baseline)
    when = "beside it" if looks and looks[-1].share < WHOLE else "before it"
    return f"{_counted(new)} bad on the new release, {_counted(old)} on the old one {when}"


def odds(evidence: float, needed: float) -> str:
    """Say how sure it is that the new release is worse, and how sure it has to be."""
    has, wants = (math.exp(min(value, 20.0)) for value in (evidence, needed))
    shown = f"{has:,.0f}" if has >= 1 else f"{has:.1g}"
    return f"worse than the old one with {shown} to 1 ({wants:,.0f} to 1 needed)"


def _counted(count: Count) -> str:
    return f"{count.bad:g} of {count.total:g} ({100 * count.rate:.2g} %)"
