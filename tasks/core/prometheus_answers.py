"""Reading what Prometheus' HTTP API answers."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tasks.core.errors import ConfigError, Unavailable

__all__ = ["Point", "parse_answer"]

BAD_REQUEST = 400
UNPROCESSABLE = 422
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one series; NaN and infinite values are left as they are."""

    labels: dict[str, str]
    at: datetime
    value: float


def parse_answer(status: int, body: str) -> tuple[Point, ...]:
    """Return the values of an instant or a range query.

    Raises:
        ConfigError: Prometheus refuses the query, or its result is no number.
        Unavailable: this is no answer of Prometheus.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _strange(status, body) from error
    if not isinstance(answer, dict) or answer.get("status") not in ("success", "error"):
        raise _strange(status, body)
    if answer["status"] == "error":
        said = f"Prometheus says {str(answer.get('error'))[:SHOWN]}"
        if status in (BAD_REQUEST, UNPROCESSABLE):
            raise ConfigError(said, next_step="correct the query in slipway.yaml")
        raise Unavailable(said)
    try:
        return tuple(_points(answer["data"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _strange(status, body) from error


def _points(data: dict[str, Any]) -> Iterator[Point]:
    result = data["result"]
    match data["resultType"]:
        case "scalar":
            yield _point({}, result)
        case "vector":
            for series in result:
                yield _point(series["metric"], series["value"])
        case "matrix":
            for series in result:
                for pair in series["values"]:
                    yield _point(series["metric"], pair)
        case kind:
            raise ConfigError(
                f"the query gives a {kind}, where a number is needed",
                next_step="correct the query in slipway.yaml",
            )


def _point(labels: dict[str, str], pair: Any) -> Point:  # noqa: ANN401 whatever came
    instant, value = pair
    if not math.isfinite(instant):
        raise ValueError("no instant")
    return Point({str(key): str(each) for key, each in labels.items()},
                 datetime.fromtimestamp(instant, UTC), float(value))  # fmt: skip


def _strange(status: int, body: str) -> Unavailable:
    shown = " ".join(body.split())[:SHOWN] or "nothing"
    return Unavailable(
        f"no answer of Prometheus: HTTP {status}, {shown}",
        next_step="check the address of Prometheus",
    )
