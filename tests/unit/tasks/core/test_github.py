"""The client against GitHub's stand-in, which proves who asks."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tasks.core.clock import FakeClock, utc_now
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.github import GitHub, github
from tasks.core.github_login import AppKey, Login
from tests.stand_ins.github import StandIn, app_key

COMMENTS = "/repos/acme/shop/issues/7/comments"
STATUS = "/repos/acme/shop/statuses/c0ffee"
GOOD = {"state": "success", "context": "slipway/lint"}


@pytest.fixture
def client(hub: StandIn) -> Iterator[GitHub]:
    with github(hub.login()) as found:
        yield found


@pytest.fixture
def app_client(hub: StandIn, request: pytest.FixtureRequest) -> Iterator[GitHub]:
    """An App; each test has a login of its own, as tokens are kept for the process."""
    with github(Login(hub.app_login().who, hub.url, request.node.name)) as found:
        found.clock = FakeClock(utc_now())
        yield found


def test_it_asks_again_when_github_is_in_trouble_or_wants_to_be_left_alone(
    hub: StandIn, client: GitHub
) -> None:
    hub.fails("statuses", 503)
    hub.fails("statuses", 429, headers={"retry-after": "2"})
    client.ask("POST", STATUS, GOOD)
    assert len(hub.world["statuses"]) == 1
    assert len(hub.heard()) == 3


def test_it_gives_up_at_last(hub: StandIn, client: GitHub) -> None:
    hub.fails("statuses", 503, times=99)
    with pytest.raises(Unavailable, match=r"GitHub acme/shop: GitHub does not do it.*HTTP 503"):
        client.ask("POST", STATUS, GOOD)
    assert len(hub.heard()) == 4


def test_without_patience_it_asks_once(hub: StandIn) -> None:
    hub.fails("statuses", 503, times=99)
    with github(hub.login(), timedelta(0)) as client, pytest.raises(Unavailable):
        client.ask("POST", STATUS, GOOD)
    assert len(hub.heard()) == 1


def test_a_limit_that_holds_for_an_hour_is_not_waited_for(hub: StandIn, client: GitHub) -> None:
    reset = str(int(utc_now().timestamp()) + 3600)
    hub.fails("user", 403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset})
    with pytest.raises(Unavailable, match=r"rate limit is used up, for 3\d\d\d s more"):
        client.ask("GET", "/user")
    assert len(hub.heard()) == 1


def test_a_refusal_is_not_repeated(hub: StandIn, client: GitHub) -> None:
    with pytest.raises(ConfigError, match=r"HTTP 422 .*'done' is not one of"):
        client.ask("POST", STATUS, {"state": "done"})
    assert len(hub.heard()) == 1


def test_nobody_answering_is_said(hub: StandIn) -> None:
    nowhere = Login(hub.login().who, "http://127.0.0.1:9", "127.0.0.1:9")
    with github(nowhere) as client, pytest.raises(Unavailable, match="no answer, ConnectError"):
        client.ask("GET", "/user")


def comments(number: int) -> list[dict[str, object]]:
    return [{"id": n, "issue": 7, "body": str(n), "user": {"login": "x"}} for n in range(number)]


def test_a_list_is_read_page_by_page_as_far_as_it_is_wanted(hub: StandIn, client: GitHub) -> None:
    hub.knows(comments=comments(250))
    assert [each["id"] for each in client.get_all(COMMENTS)] == list(range(250))
    assert len(hub.heard()) == 3
    assert next(client.get_all(COMMENTS))["id"] == 0
    assert len(hub.heard()) == 4


def test_a_further_page_elsewhere_is_not_asked(hub: StandIn, client: GitHub) -> None:
    elsewhere = '<https://evil.example/repositories/1/issues>; rel="next"'
    hub.fails("comments", 200, headers={"link": elsewhere})
    with pytest.raises(Unavailable, match="names a further page elsewhere"):
        list(client.get_all(COMMENTS))


def test_an_app_reads_every_page_with_the_token_of_the_repository(
    hub: StandIn, app_client: GitHub
) -> None:
    hub.knows(comments=comments(150))
    assert len(list(app_client.get_all(COMMENTS))) == 150


def tokens(hub: StandIn) -> int:
    return len([each for each in hub.heard() if each.endswith("access_tokens")])


def test_a_token_of_an_app_is_kept_and_renewed_before_it_ends(
    hub: StandIn, app_client: GitHub
) -> None:
    clock = app_client.clock
    app_client.ask("POST", STATUS, GOOD)
    clock.wait(timedelta(minutes=54))
    app_client.ask("POST", STATUS, GOOD)
    before = tokens(hub)
    clock.wait(timedelta(minutes=2))
    # the App's JWT is of the fake clock, which GitHub's own does not follow
    with pytest.raises(ConfigError, match="does not take the token"):
        app_client.ask("POST", STATUS, GOOD)
    assert (before, hub.heard()[-1]) == (tokens(hub), "GET /repos/acme/shop/installation")


def test_a_token_that_ended_before_its_time_is_got_anew(hub: StandIn, app_client: GitHub) -> None:
    app_client.ask("POST", STATUS, GOOD)
    hub.knows(issued={})
    before = tokens(hub)
    app_client.ask("POST", STATUS, GOOD)
    assert tokens(hub) == before + 1


def test_a_key_that_is_not_the_apps_is_refused(hub: StandIn) -> None:
    stranger, _ = app_key()
    login = Login(AppKey("Iv23of-the-tests", stranger), hub.url, hub.host)
    with github(login) as client, pytest.raises(ConfigError, match="does not take the token"):
        client.ask("POST", STATUS, GOOD)


def test_no_secret_is_shown_with_what_holds_it(hub: StandIn, app_client: GitHub) -> None:
    app_client.ask("POST", STATUS, GOOD)
    shown = repr((hub.login(), hub.app_login(), app_client))
    assert not [each for each in ("github_pat", "PRIVATE", "ghs_") if each in shown]
