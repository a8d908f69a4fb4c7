from datetime import timedelta

import pytest

from tasks.core.application import Application, Component, Environment
from tasks.core.nightly import Nightly, OwnNight
from tasks.core.nights import Night, automatic_in, nightly_of, nights, shifted

THREE = Nightly("0 3 * * *", "Europe/Lisbon")


def shop(nightly: Nightly | None, **own: OwnNight) -> Application:
    names = ("dev", "staging", "prod")
    environments = {
        name: Environment("deploy", f"shop-{name}", nightly=own.get(name)) for name in names
    }
    return Application("shop", {"api": Component("api")}, environments, nightly=nightly)


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        pytest.param(shop(None), [], id="none where nobody asks for one"),
        pytest.param(
            shop(THREE), [(("dev", "staging", "prod"), "0 3 * * *")], id="one for all environments"
        ),
        pytest.param(
            shop(Nightly("0 3 * * *", environments=("prod", "dev"))),
            [(("dev", "prod"), "0 3 * * *")],
            id="those that are named, in the order of promotion",
        ),
        pytest.param(
            shop(THREE, prod=OwnNight(cron="0 5 * * 1")),
            [(("dev", "staging"), "0 3 * * *"), (("prod",), "0 5 * * 1")],
            id="an environment with its own time has its own schedule",
        ),
        pytest.param(
            shop(THREE, prod=OwnNight(automatic=True)),
            [(("dev", "staging", "prod"), "0 3 * * *")],
            id="one that differs in something else goes with the others",
        ),
        pytest.param(
            shop(None, prod=OwnNight(cron="0 5 * * *")),
            [(("prod",), "0 5 * * *")],
            id="one environment alone",
        ),
    ],
)
def test_environments_with_one_time_share_a_schedule(
    application: Application, expected: list[tuple[tuple[str, ...], str]]
) -> None:
    assert [(night.environments, night.cron) for night in nights(application)] == expected


def test_an_environments_own_words_go_before_those_for_all() -> None:
    common = Nightly("0 3 * * *", "Europe/Lisbon", refresh=("deps",), automatic=True)
    application = shop(common, prod=OwnNight(tz="UTC", automatic=False))
    assert nightly_of(application, "prod") == Nightly(
        "0 3 * * *", "UTC", environments=("prod",), refresh=("deps",)
    )


@pytest.mark.parametrize(
    ("live", "newest", "expected"),
    [(True, True, True), (True, False, False), (False, True, False)],
    ids=["both allow it", "the newest commit forbids it", "it would let itself in"],
)
def test_a_night_goes_in_unasked_where_what_is_live_and_the_newest_commit_allow_it(
    *, live: bool, newest: bool, expected: bool
) -> None:
    files = [shop(Nightly("0 3 * * *", automatic=each)) for each in (live, newest)]
    assert automatic_in("dev", *files) is expected


@pytest.mark.parametrize(
    ("cron", "jitter"),
    [
        pytest.param("0 3 * * *", timedelta(minutes=15), id="a quarter of an hour"),
        pytest.param("50 23 * * 1", timedelta(hours=2), id="not over midnight"),
    ],
)
def test_jitter_moves_every_application_by_its_own_part(cron: str, jitter: timedelta) -> None:
    minute, hour, *days = cron.split()
    begin = int(hour) * 60 + int(minute)
    moved = {shifted(cron, jitter, f"app-{number}") for number in range(200)}
    times = set()
    for each in moved:
        at_minute, at_hour, *its_days = each.split()
        times.add(int(at_hour) * 60 + int(at_minute))
        assert its_days == days
    last = min(begin + int(jitter.total_seconds()) // 60, 24 * 60)
    assert times == set(range(begin, last)), "every minute of it is used, and none beside"


def test_jitter_is_the_same_every_time_it_is_registered() -> None:
    jitter = timedelta(hours=1)
    assert shifted("0 3 * * *", jitter, "shop/dev") == shifted("0 3 * * *", jitter, "shop/dev")


def test_a_schedule_keeps_its_name_when_its_time_changes() -> None:
    (night,) = nights(shop(Nightly("0 4 * * *")))
    assert night == Night("night-dev-staging-prod", ("dev", "staging", "prod"), "0 4 * * *", "UTC")
