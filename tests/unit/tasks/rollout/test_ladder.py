from datetime import timedelta
from itertools import permutations

import pytest

from tasks.core.application import Environment
from tasks.core.objects import ref_of
from tasks.core.strategy import BlueGreen, Canary, CanaryStep, Rolling, Strategy, Testers
from tasks.rollout.ladder import ladder_of, overruled_testers
from tasks.rollout.twins import Twin, Twins
from tests.unit.tasks.rollout.shapes import tracked

MINUTE = timedelta(minutes=1)
API = Strategy(canary=Canary(steps=(5, 50), bake=MINUTE, testers=Testers("X-Api")))
STORE = Strategy(canary=Canary(steps=(CanaryStep(50, gate=True),), testers=Testers("X-Store")))
WEB = Strategy(blueGreen=BlueGreen(standby=False, testers=Testers("X-Web")))


def twins(*names: str) -> Twins:
    things = [(name, tracked(name, f"{name}@1")) for name in names]
    return Twins(tuple(Twin(ref_of(thing), thing, name) for name, thing in things))


def environment(own: Strategy, **others: Strategy) -> Environment:
    return Environment(overlay="prod", namespace="shop", strategy=own, strategies=others)


def test_all_components_climb_every_share_that_one_of_them_names() -> None:
    found = ladder_of(environment(WEB, api=API, store=STORE), twins("web", "api", "store"))
    assert found == Canary(
        steps=(CanaryStep(5), CanaryStep(50, gate=True), CanaryStep(100)),
        bake=timedelta(minutes=15),
        standby=False,
        testers=Testers("X-Web"),
    )


@pytest.mark.parametrize("names", tuple(permutations(("api", "store", "web"))))
def test_every_process_finds_the_same_testers(names: tuple[str, ...]) -> None:
    place = environment(Strategy(rolling=Rolling()), web=WEB, store=STORE, api=API)
    assert ladder_of(place, twins(*names)).testers == Testers("X-Api")
    others = (Testers("X-Store"), Testers("X-Web"))
    assert overruled_testers(place, twins(*names)) == others


def test_the_environments_own_word_for_testers_goes_first() -> None:
    assert ladder_of(environment(WEB, api=API), twins("api", "web")).testers == Testers("X-Web")
    assert overruled_testers(environment(WEB), twins("api", "web")) == ()
