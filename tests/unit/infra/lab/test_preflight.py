import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.lab import preflight
from infra.lab.component import Component
from infra.lab.layout import Layout
from infra.lab.network import find_foreign

LAB = Layout("default", 0, Path("/state/lab"), Path("/cache"))
OURS = {"ifname": "slipway0", "ifalias": "slipway:/state/lab"}


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)


@pytest.mark.parametrize(
    ("release", "problems"),
    [
        pytest.param('ID=debian\nVERSION_ID="12"\n', (), id="Debian 12 is right"),
        pytest.param(
            'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04"\n',
            ("the lab runs on Debian 12, this is Ubuntu 24.04",),
            id="another system is named",
        ),
        pytest.param(
            "", ("the lab runs on Debian 12, this is an unknown system",), id="none is unknown"
        ),
    ],
)
def test_the_system_is_judged(release: str, problems: tuple[str, ...]) -> None:
    assert preflight.system_problems(release) == problems


def test_who_is_not_root_hears_that_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    (line,) = preflight.problems(LAB, (), ())
    assert "needs root" in line


@pytest.mark.usefixtures("root")
def test_a_taken_port_is_named_with_the_component_that_needs_it(tmp_path: Path) -> None:
    lab = Layout("default", 0, tmp_path, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        registry = Component("registry", lambda _: (), lambda _: True, port=lambda _: port)
        assert f"port 127.0.0.1:{port}, which registry needs, is taken" in preflight.problems(
            lab, (registry,), ()
        )


@pytest.mark.usefixtures("root")
def test_a_state_folder_too_deep_for_sockets_is_refused(tmp_path: Path) -> None:
    lab = Layout("default", 0, tmp_path / ("d" * 70), tmp_path)
    assert any("too long a path" in line for line in preflight.problems(lab, (), ()))


@pytest.mark.parametrize(
    ("links", "routes", "found"),
    [
        pytest.param([OURS], [{"dst": "10.200.64.0/18", "dev": "slipway0"}], (), id="our own"),
        pytest.param([{"ifname": "slipway0"}], [], (), id="an unlabelled one is a crash's rest"),
        pytest.param(
            [{"ifname": "slipway0", "ifalias": "slipway:/other/lab"}],
            [],
            ("interface slipway0 of slipway:/other/lab",),
            id="another lab with our number",
        ),
        pytest.param(
            [{"ifname": "tun0", "addr_info": [{"local": "10.200.3.4"}]}],
            [{"dst": "10.200.0.0/16", "dev": "tun0"}],
            ("address 10.200.3.4 on tun0", "route 10.200.0.0/16 on tun0"),
            id="a private network of the user's",
        ),
        pytest.param(
            [], [{"dst": "default", "dev": "eth0"}, {"dst": "10.20.0.0/16", "dev": "eth0"}], (),
            id="networks beside ours",
        ),
    ],
)  # fmt: skip
def test_other_users_of_the_network_are_found(
    links: list[Mapping[str, Any]], routes: list[Mapping[str, Any]], found: tuple[str, ...]
) -> None:
    assert find_foreign(LAB, links, routes) == found


@pytest.mark.parametrize(
    ("cold", "free", "complaints"),
    [
        pytest.param(
            True, {"/cache": 12.0, "/state/lab": 3.0}, [], id="just enough to make it all"
        ),
        pytest.param(
            True,
            {"/cache": 11.9, "/state/lab": 3.0},
            ["/cache has 11.9 GB free, the lab needs 12 GB"],
            id="too little to make it all",
        ),
        pytest.param(False, {"/cache": 1.0, "/state/lab": 3.0}, [], id="all is made already"),
        pytest.param(
            False,
            {"/cache": 0.5, "/state/lab": 0.1},
            [
                "/cache has 0.5 GB free, the lab needs 1 GB",
                "/state/lab has 0.1 GB free, the lab needs 3 GB",
            ],
            id="each place has its line",
        ),
    ],
)
def test_the_room_on_disk_is_judged(
    cold: bool,  # noqa: FBT001
    free: Mapping[str, float],
    complaints: list[str],
) -> None:
    found = preflight.disk_problems(LAB, lambda folder: int(free[str(folder)] * 1e9), cold=cold)
    assert list(found) == complaints


def test_watchers_that_are_counted_are_given_back() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert 0 <= preflight.free_watchers(3) <= 3
    assert len(list(Path("/proc/self/fd").iterdir())) == before
