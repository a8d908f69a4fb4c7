"""Durations, sizes and shares as people write them in slipway.yaml."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

__all__ = ["Duration", "Size", "format_duration", "format_size", "parse_duration", "parse_size"]

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?)?B?")
_FACTORS = {
    "": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip


def parse_duration(text: str) -> timedelta:
    """Read `1d12h`, `15m`, `1.5s` and their like.

    Raises:
        ValueError: the text is no duration.
    """
    match = _DURATION.fullmatch(text.strip())
    if not match or not any(match.groups()):
        raise ValueError(f"must be a duration such as 30s, 15m, 24h or 1d12h, got {text!r}")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError as error:
        raise ValueError(
            f"must be a duration of less than a million years, got {text!r}"
        ) from error


def format_duration(duration: timedelta) -> str:
    """Write a duration the way parse_duration reads it, to the tenth of a second."""
    seconds = round(duration.total_seconds(), 1)
    if seconds < 60:  # noqa: PLR2004 a minute
        return f"{seconds:g}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{value}{unit}" for value, unit in parts if value)


def parse_size(text: str) -> int:
    """Read `150MB`, `1.5GiB` and their like as bytes.

    Raises:
        ValueError: the text is no size.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"must be a size such as 150MB or 1GiB, got {text!r}")
    try:
        return int(float(match[1]) * _FACTORS[match[2] or ""])
    except OverflowError as error:
        raise ValueError(f"must be a size such as 150MB or 1GiB, got {text!r}") from error


def format_size(size_bytes: int) -> str:
    """Write bytes with a decimal unit and one digit behind the point."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if value < 1000:  # noqa: PLR2004 a thousand
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def _duration(value: Any) -> Any:  # noqa: ANN401 pydantic hands over what the file holds
    iso = isinstance(value, str) and value.startswith(("P", "-P"))
    return parse_duration(value) if isinstance(value, str) and not iso else value


def _size(value: Any) -> Any:  # noqa: ANN401 pydantic hands over what the file holds
    return parse_size(value) if isinstance(value, str) else value


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "examples": ["30s", "15m", "24h"]}),
]
Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"type": "string", "examples": ["150MB", "1GiB"]}),
]
