from collections import Counter
from pathlib import Path

import pytest

from infra.lab.components import COMPONENTS, TOOLS
from infra.lab.layout import Layout
from infra.lab.lifecycle import Health, overall
from infra.lab.pki import ensure_certificates

NAMES = [one.name for one in COMPONENTS]
NEEDS = list(dict.fromkeys(need for one in COMPONENTS for need in one.needs))


def test_nothing_is_called_like_another() -> None:
    assert [name for name, count in Counter(NAMES).items() if count > 1] == []
    needs = Counter(need.name for need in {*NEEDS, *TOOLS})
    assert [name for name, count in needs.items() if count > 1] == []


def test_the_order_of_starts_has_an_end() -> None:
    started: set[str] = set()
    waiting = list(COMPONENTS)
    while ready := [one for one in waiting if set(one.after) <= started]:
        started |= {one.name for one in ready}
        waiting = [one for one in waiting if one not in ready]
    assert [one.name for one in waiting] == []


@pytest.mark.parametrize("component", COMPONENTS, ids=NAMES)
def test_a_component_is_the_same_each_time_it_is_asked(component: object, tmp_path: Path) -> None:
    """Else `up` would start again what runs well."""
    layout = Layout("test", 1, tmp_path, tmp_path)
    ensure_certificates(layout)
    (one,) = [each for each in COMPONENTS if each is component]
    assert (one.argv(layout), one.files(layout)) == (one.argv(layout), one.files(layout))


@pytest.mark.parametrize("need", [*NEEDS, *TOOLS], ids=lambda need: need.name)
def test_an_artifact_has_one_place_in_the_cache(need: object, tmp_path: Path) -> None:
    (one,) = {each for each in (*NEEDS, *TOOLS) if each is need}
    assert one.path(tmp_path) == one.path(tmp_path)
    assert one.path(tmp_path).is_relative_to(tmp_path)


@pytest.mark.parametrize(
    ("node", "parts", "whole"),
    [
        pytest.param(False, (Health.DOWN,), Health.DOWN, id="no node is down"),
        pytest.param(True, (Health.HEALTHY,) * 2, Health.HEALTHY, id="all healthy"),
        pytest.param(True, (Health.HEALTHY, Health.DEAD), Health.UNHEALTHY, id="one dead"),
    ],
)
def test_the_lab_is_judged_by_its_parts(
    *, node: bool, parts: tuple[Health, ...], whole: Health
) -> None:
    assert overall(node, parts) is whole
