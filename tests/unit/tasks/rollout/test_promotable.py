from dataclasses import replace

import pytest

from tasks.core.application import Application, Component, Environment
from tasks.core.errors import ConfigError, GateClosed, SlipwayError
from tasks.core.model import Manifests
from tasks.core.record import RolloutState
from tasks.core.target import Target
from tasks.rollout.model import Stored
from tasks.rollout.place import place_without_repository
from tasks.rollout.promotable import OFFERED, choosable, choose_release, origin_of
from tests.unit.flows.test_views import STAGING

NAMES = ("dev", "staging", "prod")
SHOP = Application(
    "shop",
    {"api": Component("api")},
    {name: Environment(name, f"shop-{name}") for name in NAMES},
)
PLACE = place_without_repository("shop", "dev", "shop-dev", Target("k", "c", "r", "b", "d"))
MANIFESTS = tuple(Manifests(name, f"shop-{name}", "") for name in ("dev", "prod"))
FIRST = replace(
    STAGING, number=1, environment="dev", release=replace(STAGING.release, manifests=MANIFESTS)
)
SECOND = replace(FIRST, number=2, release=replace(FIRST.release, id="r-second"))
FAILED = replace(
    FIRST, number=3, state=RolloutState.RESTORED, release=replace(FIRST.release, id="r-third")
)
HISTORY = (Stored(FIRST), Stored(SECOND), Stored(FAILED, bad=True))


@pytest.mark.parametrize(
    ("environment", "origin", "expected"),
    [
        pytest.param("prod", None, "staging", id="the environment before"),
        pytest.param("prod", "dev", "dev", id="the one that is named"),
        pytest.param("dev", "prod", "prod", id="backwards where somebody wants that"),
    ],
)
def test_where_a_promoted_release_comes_from(
    environment: str, origin: str | None, expected: str
) -> None:
    assert origin_of(SHOP, environment, origin) == expected


@pytest.mark.parametrize(
    ("environment", "origin", "said"),
    [
        pytest.param("dev", None, "none comes before it", id="the first one"),
        pytest.param("prod", "prod", "to itself", id="into itself"),
        pytest.param("qa", None, "no environment 'qa'", id="into nowhere"),
        pytest.param("prod", "qa", "no environment 'qa'", id="from nowhere"),
    ],
)
def test_a_promotion_from_nowhere_is_refused(
    environment: str, origin: str | None, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        origin_of(SHOP, environment, origin)


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        pytest.param(None, 2, id="what is live"),
        pytest.param(1, 1, id="a rollout by its number"),
        pytest.param(FIRST.release.id, 1, id="a release by its id"),
    ],
)
def test_which_release_is_promoted(goal: int | str | None, expected: int) -> None:
    assert choose_release(HISTORY, goal, PLACE, "prod").number == expected


@pytest.mark.parametrize(
    ("history", "goal", "environment", "error", "said"),
    [
        pytest.param((), None, "prod", GateClosed, "nothing is live yet", id="an empty history"),
        pytest.param(HISTORY, 3, "prod", GateClosed, "no rollout of 3", id="one that failed"),
        pytest.param(HISTORY, 9, "prod", GateClosed, "no rollout of 9", id="one that never was"),
        pytest.param(
            (Stored(FIRST, bad=True),), 1, "prod", GateClosed, "taken back here", id="a bad one"
        ),
        pytest.param(
            HISTORY, 1, "staging", ConfigError, "no manifests for staging", id="an older commit"
        ),
    ],
)
def test_a_release_that_cannot_be_promoted_is_refused(
    history: tuple[Stored, ...],
    goal: int | str | None,
    environment: str,
    error: type[SlipwayError],
    said: str,
) -> None:
    with pytest.raises(error, match=said):
        choose_release(history, goal, PLACE, environment)


def test_a_form_offers_each_good_release_once_and_the_newest_only() -> None:
    again = Stored(replace(FIRST, number=4))
    assert [each.number for each in choosable((*HISTORY, again))] == [4, 2]
    many = tuple(
        Stored(replace(FIRST, number=number, release=replace(FIRST.release, id=f"r-{number}")))
        for number in range(1, 2 * OFFERED)
    )
    assert len(choosable(many)) == OFFERED
