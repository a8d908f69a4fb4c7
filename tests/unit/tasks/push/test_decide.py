"""What names and answers of registries mean."""

from datetime import UTC, datetime

import pytest

from tasks.core.errors import ConfigError
from tasks.push.decide import (
    backoff,
    is_transient,
    next_offset,
    parse_challenge,
    parse_reference,
    parse_refusal,
    parse_retry_after,
)
from tasks.push.model import Challenge, Interrupted, Reference

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("ghcr.io/team/api", Reference("https", "ghcr.io", "team/api")),
        ("ghcr.io/team/api:v1", Reference("https", "ghcr.io", "team/api", "v1")),
        ("127.0.0.1:15000/api:c0ffee", Reference("http", "127.0.0.1:15000", "api", "c0ffee")),
        ("localhost:5000/a_b/c-d", Reference("http", "localhost:5000", "a_b/c-d")),
        ("[::1]:5000/api", Reference("http", "[::1]:5000", "api")),
        ("10.0.0.1:5000/api", Reference("https", "10.0.0.1:5000", "api")),
        ("localhost.evil.example/api", Reference("https", "localhost.evil.example", "api")),
    ],
)
def test_only_this_machine_is_spoken_to_in_the_clear(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text", ["api", "team/api", "ghcr.io/", "ghcr.io/Team/api", "ghcr.io/api:", "ghcr.io/a/../b"]
)
def test_what_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no repository"):
        parse_reference(text)


@pytest.mark.parametrize(
    ("header", "challenge"),
    [
        (
            'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:a:pull"',
            Challenge("https://ghcr.io/token", "ghcr.io"),
        ),
        ('bearer realm="https://r/t"', Challenge("https://r/t")),
        ('Basic realm="Registry"', Challenge("")),
        ("", Challenge("")),
    ],
)
def test_a_challenge_is_read(header: str, challenge: Challenge) -> None:
    assert parse_challenge(header) == challenge


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_from_now(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        pytest.param(Interrupted("broke"), True, id="no time named: our own backoff"),
        pytest.param(Interrupted("busy", 7.0), 7.0, id="the registry's time"),
        pytest.param(Interrupted("busy", 0.0), 0.0, id="at once"),
        pytest.param(Interrupted("busy", 61.0), False, id="longer than a minute: given up"),
        pytest.param(ConfigError("no"), False, id="a refusal is final"),
    ],
)
def test_who_waits_how_long(error: Exception, wait: float | bool) -> None:  # noqa: FBT001 a column
    assert backoff(error) == wait
    assert type(backoff(error)) is type(wait)


@pytest.mark.parametrize(
    ("status", "transient"),
    [(408, True), (429, True), (500, True), (503, True), (507, False), (501, False), (400, False)],
)
def test_a_full_disk_is_not_asked_twice(status: int, transient: bool) -> None:  # noqa: FBT001
    assert is_transient(status) is transient


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"errors": [{"code": "A", "message": "b"}, {"code": "C"}]}', "A b; C"),
        (b"<html>\n bad  gateway</html>", "<html> bad gateway</html>"),
        (b'["errors"]', '["errors"]'),
        (b"", ""),
        (b"x" * 900, "x" * 300),
    ],
)
def test_a_refusals_words_are_kept_short(body: bytes, reason: str) -> None:
    assert parse_refusal(400, body).reason == reason


@pytest.mark.parametrize(
    ("header", "offset"), [("0-9", 10), ("bytes=0-9", 10), ("0-0", 0), (None, 0), ("5-9", 0)]
)
def test_an_upload_goes_on_behind_what_is_there(header: str | None, offset: int) -> None:
    assert next_offset(header) == offset
