import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.errors import ConfigError, SlipwayError, Unavailable
from tasks.core.prometheus_answers import parse_answer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
SHAPED = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["success", "error", "warning"]),
        "data": st.fixed_dictionaries(
            {
                "resultType": st.sampled_from(["vector", "matrix", "scalar", "string", "?"]),
                "result": st.lists(
                    st.fixed_dictionaries({"metric": JSON, "value": JSON, "values": st.lists(JSON)})
                )
                | JSON,
            }
        )
        | JSON,
    }
)


def answered(kind: str, result: Any) -> str:  # noqa: ANN401 whatever a case needs
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


@pytest.mark.parametrize(
    ("body", "values"),
    [
        pytest.param(answered("vector", []), [], id="nothing"),
        pytest.param(
            answered("vector", [{"metric": {"pod": "a"}, "value": [1.5, "2"]}]), [2.0], id="a value"
        ),
        pytest.param(answered("scalar", [1, "3"]), [3.0], id="a number"),
        pytest.param(
            answered("matrix", [{"metric": {}, "values": [[1, "1"], [2, "2"]]}]),
            [1.0, 2.0],
            id="a history",
        ),
        pytest.param(
            answered("vector", [{"metric": {}, "value": [1, "+Inf"]}]), [math.inf], id="infinite"
        ),
    ],
)
def test_an_answer_is_read(body: str, values: list[float]) -> None:
    assert [point.value for point in parse_answer(200, body)] == values


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        pytest.param(502, "<html>Bad Gateway</html>", Unavailable, "HTTP 502, <html>", id="HTML"),
        pytest.param(200, "", Unavailable, "HTTP 200, nothing", id="nothing at all"),
        pytest.param(200, "[]", Unavailable, "no answer of Prometheus", id="other JSON"),
        pytest.param(
            400,
            '{"status": "error", "errorType": "bad_data", "error": "unknown function"}',
            ConfigError,
            "Prometheus says unknown function",
            id="a query that it refuses",
        ),
        pytest.param(
            503,
            '{"status": "error", "errorType": "timeout", "error": "query timed out"}',
            Unavailable,
            "Prometheus says query timed out",
            id="a query that took too long",
        ),
        pytest.param(
            200, answered("string", [1, "x"]), ConfigError, "gives a string", id="no number"
        ),
        pytest.param(
            200,
            answered("vector", [{"metric": {}, "value": [1, "much"]}]),
            Unavailable,
            "no answer of Prometheus",
            id="a value that is none",
        ),
    ],
)
def test_what_is_no_answer_is_said(
    status: int, body: str, error: type[SlipwayError], said: str
) -> None:
    with pytest.raises(error, match=said):
        parse_answer(status, body)


@given(st.integers(100, 599), st.text() | (JSON | SHAPED).map(json.dumps))
def test_whatever_comes_it_is_points_or_one_of_our_errors(status: int, body: str) -> None:
    try:
        points = parse_answer(status, body)
    except SlipwayError:
        return
    assert all(isinstance(point.value, float) for point in points)
