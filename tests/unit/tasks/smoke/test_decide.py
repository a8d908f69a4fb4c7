from datetime import timedelta

import pytest

from tasks.core.application import Component, Smoke
from tasks.core.bounds import Bounds
from tasks.core.errors import ConfigError, StageFailed
from tasks.core.model import Digest, Image
from tasks.smoke.decide import check_image, judge_stop, note_on_user, plan
from tasks.smoke.model import Layer, Loaded, Observed, Sign, Trial

DIGEST, CONFIG = Digest("sha256:" + "a" * 64), Digest("sha256:" + "b" * 64)
IMAGE = Image("api", DIGEST, CONFIG, "/layout", "/image.tar", 10)


def loaded(
    user: str = "1000", ports: tuple[int, ...] = (), *, has_healthcheck: bool = False
) -> Loaded:
    layers = tuple(Layer(f"RUN  step {size}", size * 10**6) for size in (1, 7, 2, 6, 3, 5, 4, 0))
    return Loaded(CONFIG, user, ports, has_healthcheck, 28 * 10**6, layers)


@pytest.mark.parametrize("user", ["", "0", "00", "root", "0:0", "root:staff"])
def test_root_is_refused_with_a_remedy(user: str) -> None:
    with pytest.raises(StageFailed, match=r"smoke api: the image runs as root .* USER 1000"):
        check_image(IMAGE, loaded(user), None)


@pytest.mark.parametrize("user", ["1000", "65532:65532", "nginx", "00001"])
def test_others_are_not(user: str) -> None:
    check_image(IMAGE, loaded(user), 28 * 10**6)


def test_over_the_budget_shows_the_five_largest_layers_largest_first() -> None:
    with pytest.raises(StageFailed) as failure:
        check_image(IMAGE, loaded(), 28 * 10**6 - 1)
    assert failure.value.what.splitlines() == [
        "28.0 MB unpacked, the budget is 28.0 MB; largest layers:",
        "      7.0 MB  RUN step 7",
        "      6.0 MB  RUN step 6",
        "      5.0 MB  RUN step 5",
        "      4.0 MB  RUN step 4",
        "      3.0 MB  RUN step 3",
    ]


def test_another_image_is_refused_before_anything_else() -> None:
    other = Image("api", DIGEST, Digest("sha256:" + "c" * 64), "", "", 1)
    with pytest.raises(StageFailed, match="expected image sha256:ccc"):
        check_image(other, loaded(user=""), 1)


HTTP = Smoke(path="/health")


@pytest.mark.parametrize(
    ("component", "image", "expected"),
    [
        pytest.param(
            Component("api", port=80, smoke=HTTP), loaded(), (Sign.HTTP, 80), id="path and port"
        ),
        pytest.param(
            Component("api", smoke=HTTP), loaded(ports=(3001,)), (Sign.HTTP, 3001), id="EXPOSE"
        ),
        pytest.param(
            Component("api", port=80),
            loaded(has_healthcheck=True),
            (Sign.HEALTHCHECK, 80),
            id="the image's own check goes before the port",
        ),
        pytest.param(Component("api", port=80), loaded(), (Sign.PORT, 80), id="the port alone"),
    ],
)
def test_the_best_sign_of_health_is_chosen(
    component: Component, image: Loaded, expected: tuple[Sign, int]
) -> None:
    trial = plan(component, IMAGE, image, Bounds())
    assert isinstance(trial, Trial)
    assert (trial.sign, trial.port) == expected


@pytest.mark.parametrize(
    ("smoke", "bounds", "memory", "grace"),
    [
        pytest.param(None, Bounds(), 512 * 2**20, 30, id="nothing says anything"),
        pytest.param(
            HTTP, Bounds(64 * 2**20, timedelta(seconds=20)), 64 * 2**20, 20, id="the manifests do"
        ),
        pytest.param(
            Smoke(memory=2**30, grace=timedelta(seconds=5)),
            Bounds(64 * 2**20, timedelta(seconds=20)),
            2**30,
            5,
            id="slipway.yaml goes before them",
        ),
        pytest.param(None, Bounds(2**20), 6 * 2**20, 30, id="less than the engine takes"),
    ],
)
def test_memory_and_time_are_those_that_the_manifests_will_give(
    smoke: Smoke | None, bounds: Bounds, memory: int, grace: int
) -> None:
    trial = plan(Component("api", port=80, smoke=smoke), IMAGE, loaded(), bounds)
    assert isinstance(trial, Trial)
    assert (trial.memory, trial.grace) == (memory, timedelta(seconds=grace))


def test_nothing_to_go_by_is_skipped_and_says_so() -> None:
    reason = plan(Component("api"), IMAGE, loaded(ports=(80, 81)), Bounds())
    assert isinstance(reason, str)
    assert reason.startswith("skipped, not passed: nothing shows whether it is healthy")


def test_a_path_without_a_port_is_a_mistake_in_the_file() -> None:
    with pytest.raises(ConfigError, match=r"components.api: smoke.path /health needs a port"):
        plan(Component("api", smoke=HTTP), IMAGE, loaded(ports=(80, 81)), Bounds())


@pytest.mark.parametrize(
    ("signal", "code", "wrong"),
    [
        ("SIGTERM", 0, ""),
        ("SIGTERM", 143, ""),
        ("SIGTERM", 137, "it ended with status 137"),
        ("SIGTERM", 1, "it ended with status 1"),
        ("SIGTERM", None, "it still ran 30s later"),
        ("SIGQUIT", 131, ""),
        ("QUIT", 131, ""),
        ("3", 131, ""),
        ("SIGQUIT", 143, "it ended with status 143"),
    ],
)
def test_it_stops_by_itself_or_by_the_signal_sent(
    signal: str, code: int | None, wrong: str
) -> None:
    second = timedelta(seconds=1)
    trial = Trial("api", CONFIG, Sign.PORT, 80, "", {}, 1, (), second, second, signal)
    assert judge_stop(trial, Observed(code), timedelta(seconds=30)) == wrong


def test_a_user_by_name_is_pointed_out() -> None:
    assert note_on_user(loaded("101:101")) == "as user 101"
    assert "needs a number" in note_on_user(loaded("nginx"))
