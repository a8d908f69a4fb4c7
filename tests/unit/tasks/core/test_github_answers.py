from datetime import UTC, datetime

import pytest

from tasks.core.errors import ConfigError, Conflict
from tasks.core.github_answers import Interrupted, Refusal, backoff, fault, repository_in

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECONDARY = "https://docs.github.com/rest/rate-limits#about-secondary-rate-limits"


def used_up(seconds: int) -> dict[str, str]:
    return {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(int(NOON.timestamp()) + seconds),
    }


@pytest.mark.parametrize(
    ("refusal", "wait"),
    [
        pytest.param(Refusal(403, "", used_up(40)), 40.0, id="until the limit is reset"),
        pytest.param(Refusal(429, "", used_up(-5)), 0.0, id="a limit that is over"),
        pytest.param(Refusal(403, "", used_up(3000)), False, id="an hour is too long"),
        pytest.param(
            Refusal(429, "", {"retry-after": "7", **used_up(40)}), 7.0, id="as it asks itself"
        ),
        pytest.param(Refusal(403, "slow down", {}, SECONDARY), 60.0, id="the secondary limit"),
        pytest.param(Refusal(429), 60.0, id="too many, without a word"),
        pytest.param(Refusal(503), True, id="in trouble"),
        pytest.param(Refusal(502, "", {"retry-after": "3"}), 3.0, id="in trouble, for some time"),
        pytest.param(Refusal(403, "no", {"x-ratelimit-remaining": "9"}), False, id="not allowed"),
        pytest.param(Refusal(404), False, id="not there"),
        pytest.param(Refusal(422, "Validation Failed"), False, id="not valid"),
    ],
)
def test_how_long_is_waited_before_the_next_try(refusal: Refusal, wait: float) -> None:
    assert backoff(fault(refusal, "GitHub acme/shop", NOON)) == wait
    assert type(backoff(fault(refusal, "GitHub acme/shop", NOON))) is type(wait)


@pytest.mark.parametrize(
    ("refusal", "error", "said"),
    [
        pytest.param(Refusal(401, "Bad credentials"), ConfigError, "github login", id="token"),
        pytest.param(
            Refusal(403, "no", {"x-accepted-github-permissions": "statuses=write"}),
            ConfigError,
            "give it the permission: statuses=write",
            id="permission",
        ),
        pytest.param(Refusal(404), ConfigError, "access to the repository", id="access"),
        pytest.param(Refusal(409, "Conflict"), Conflict, "in another state", id="state"),
        pytest.param(Refusal(422, "x" * 999), ConfigError, "HTTP 422", id="anything else"),
    ],
)
def test_what_a_person_reads(refusal: Refusal, error: type[Exception], said: str) -> None:
    found = fault(refusal, "GitHub acme/shop", NOON)
    assert type(found) is error
    assert said in str(found)
    assert len(str(found)) < 600


def test_only_what_was_interrupted_is_tried_again() -> None:
    assert backoff(Interrupted("no answer")) is True
    assert backoff(ValueError()) is False


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/repos/acme/shop/statuses/1", "acme/shop"),
        ("/repos/acme/shop", "acme/shop"),
        ("/app/hook/deliveries", None),
        ("/repos/acme", None),
        ("/user", None),
    ],
)
def test_what_a_path_is_about(path: str, expected: str | None) -> None:
    assert repository_in(path) == expected
