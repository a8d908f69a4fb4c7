import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.lab.layout import Layout, current, index_of
from tasks.core.errors import ConfigError


def layout(index: int) -> Layout:
    return Layout("default" if index == 0 else "other", index, Path("/s"), Path("/c"))


def test_the_usual_instances_have_fixed_numbers() -> None:
    assert (index_of("default"), index_of("test")) == (0, 1)


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,19}", fullmatch=True))
def test_every_instance_has_addresses_and_ports_that_exist(name: str) -> None:
    lab = Layout(name, index_of(name), Path("/s"), Path("/c"))
    networks = [
        ipaddress.ip_network(cidr) for cidr in (lab.docker_cidr, lab.service_cidr, lab.pod_cidr)
    ]
    assert not any(
        one.overlaps(other) for one in networks for other in networks if one is not other
    )
    assert not any(ipaddress.ip_address(lab.node_address) in network for network in networks)
    assert ipaddress.ip_address(lab.dns_address) in networks[1]
    assert lab.port + 99 < 32768
    assert len(lab.link) < 16


def test_two_labs_share_no_address_and_no_port() -> None:
    one, other = layout(0), layout(1)
    assert one.node_address != other.node_address
    assert one.link != other.link
    assert {one.registry, one.ingress}.isdisjoint({other.registry, other.ingress})
    assert one.context == "slipway-lab"
    assert other.context == "slipway-lab-other"


@pytest.mark.parametrize("name", ["A", "a/b", "a b", "x" * 21, "-a"])
def test_a_name_that_cannot_be_part_of_a_cgroup_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_INSTANCE", name)
    with pytest.raises(ConfigError, match=r"SLIPWAY_INSTANCE: .* is no name"):
        current()
