import json
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.application import Application
from tasks.core.config import examine
from tasks.core.config.shape import ADAPTER, read_strictly

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
KEYS = st.sampled_from(
    """
    application components environments registry scan slos nightly api prod context dockerfile
    image target max_size lint test port overlay namespace url strategy rolling canary blueGreen
    steps bake probes path component approval approvers count freezes from to tz secrets name
    keys waivers id reason expires availability latency objective errors total threshold
    histogram cron within deadline period memory smoke env
    """.split()  # noqa: SIM905 a list of 50 lines says no more
) | st.text(max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["15m", "0s", "1d", "P1D", "Fri 16:00", "sum(rate(x[5m]))", "0 3 * * *", "../..", "~/x",
         "2026-02-30", "/health", "shop", "deploy/prod", "https://[x", "Europe/Lisbon", "\0"]
    )
)  # fmt: skip
TREES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)
VALID: dict[str, Any] = {
    "application": "shop",
    "components": {"api": {"context": "api", "port": 80, "image": {"max_size": "1GB"}}},
    "environments": {
        "prod": {
            "overlay": "prod",
            "namespace": "shop",
            "url": "https://x.example",
            "strategy": {"canary": {"steps": [5, 100]}},
            "probes": [{"path": "/", "component": "api"}],
            "approval": {"approvers": ["ana"]},
            "freezes": [{"from": "Fri 16:00", "to": "Mon 08:00"}],
            "secrets": [{"name": "db", "keys": ["password"]}],
        }
    },
    "scan": {
        "waivers": [{"id": "CVE-1", "reason": "nobody can reach it", "expires": "2999-01-01"}]
    },
    "slos": {
        "availability": {"objective": 99, "errors": "sum(a)", "total": "sum(b)"},
        "latency": {"objective": 99, "threshold": "1s", "histogram": "h", "selector": 'a="b"'},
        "saturation": {"query": "max(c)", "limit": 1},
        "custom": {
            "orders": {"objective": 99, "errors": "d", "total": "e"},
            "queue": {"query": "max(f)", "limit": 10},
        },
        "judging": {"false_alarms": 0.5, "min_events": 20},
    },
    "nightly": {"cron": "0 3 * * *"},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401
    """Every path of a document but the root's."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    below = [
        deeper
        for key, item in items
        for deeper in ((*path, key), *(places(item, (*path, key)) if _holds(item) else ()))
    ]
    return list(below)


def _holds(value: object) -> bool:
    return isinstance(value, (dict, list))


def examined(text: str) -> tuple[int, list[int]]:
    """Number of lines of a file, and the lines of its problems."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "slipway.yaml"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        found = examine(file, kubectl=None, today=date(2026, 1, 1))
        assert (found.application is None) == bool(found.problems)
        assert all(one.message and one.remedy for one in found.problems)
        assert all(str(one).isprintable() for one in found.problems)
        return max(1, len(text.splitlines())), [one.line for one in found.problems]


def lie_within_the_file(text: str) -> bool:
    last, lines = examined(text)
    return all(1 <= line <= last for line in lines)


@UNHURRIED
@given(st.text())
def test_no_text_makes_check_raise(text: str) -> None:
    assert lie_within_the_file(text)


@UNHURRIED
@given(TREES)
def test_no_document_makes_check_raise(tree: Any) -> None:  # noqa: ANN401
    assert lie_within_the_file(json.dumps(tree, indent=1))


@UNHURRIED
@given(st.sampled_from(places(VALID)), SCALARS | TREES)
def test_no_value_in_any_place_of_a_valid_file_makes_check_raise(
    place: tuple[Any, ...],
    value: Any,  # noqa: ANN401
) -> None:
    tree = json.loads(json.dumps(VALID))
    target = tree
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    assert lie_within_the_file(json.dumps(tree, indent=1))


DURATIONS = st.integers(min_value=60, max_value=10**6).map(lambda seconds: f"{seconds}s")
NAMES = st.from_regex(r"\A[a-z][a-z0-9]{0,8}\Z")


@st.composite
def applications(draw: st.DrawFn) -> Application:
    steps = sorted(draw(st.sets(st.integers(1, 99), max_size=4)))
    strategy = draw(
        st.sampled_from(["rolling", "canary", "blueGreen"]).map(
            lambda kind: {kind: {"steps": [*steps, 100]} if kind == "canary" else {}}
        )
    )
    environment: dict[str, Any] = {
        "overlay": draw(NAMES),
        "namespace": draw(NAMES),
        "strategy": strategy,
        "probes": [{"path": "/", "within": "1.5s", "deadline": draw(DURATIONS)}],
        "approval": {"approvers": draw(st.lists(NAMES, min_size=1)), "expires": draw(DURATIONS)},
        "freezes": [{"from": "Fri 16:00", "to": "Mon 08:00", "tz": "Europe/Lisbon"}],
    }
    return read_strictly(
        {
            "application": draw(NAMES),
            "components": {draw(NAMES): {"context": ".", "image": {"max_size": "1.5GiB"}}},
            "environments": {draw(NAMES): environment},
            "scan": {"high": draw(st.sampled_from(["block", "warn", "ignore"]))},
        }
    )


@UNHURRIED
@given(applications())
def test_every_application_survives_prefects_json(application: Application) -> None:
    assert ADAPTER.validate_json(ADAPTER.dump_json(application)) == application
