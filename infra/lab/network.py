"""The link between the host and the lab: one veth pair and three routes on the host, no more."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from infra.lab.layout import Layout
from tasks.core import process

__all__ = ["connect", "foreign_users", "link_exists", "unlink"]

_QUICK = timedelta(seconds=10)


def connect(layout: Layout, init: int) -> None:
    """Join the host and the namespaces of process `init`, from whatever state they are in."""
    if link_exists(layout) and not _answers(layout, init):
        unlink(layout)
    if not link_exists(layout):
        add = f"link add {layout.link} type veth peer name eth0 netns {init}"
        _batch([], [add, f"link set {layout.link} alias {_owner(layout)}"])
        inside = ["nsenter", "--target", str(init), "--net", "--"]
        _batch(
            inside,
            [
                f"addr add {layout.node_address}/30 dev eth0",
                "link set eth0 up",
                f"route add default via {layout.host_address}",
            ],
        )
    _batch(
        [],
        [
            f"addr replace {layout.host_address}/30 dev {layout.link}",
            f"link set {layout.link} up",
            *(
                f"route replace {cidr} via {layout.node_address} dev {layout.link}"
                for cidr in (layout.docker_cidr, layout.service_cidr, layout.pod_cidr)
            ),
        ],
    )


def link_exists(layout: Layout) -> bool:
    """Say whether the host's end of the link is there, and is this lab's."""
    return any(_is_ours(layout, link) for link in _ip("link", "show"))


def unlink(layout: Layout) -> None:
    """Remove the link, and with it its routes and the lab's end."""
    if link_exists(layout):
        # the kernel removes it as well, at its own time after the lab's network has gone
        gone = process.Options(ok=(0, 1))
        process.run(["ip", "link", "del", layout.link], timeout=_QUICK, options=gone)


def foreign_users(layout: Layout) -> tuple[str, ...]:
    """Interfaces and routes of somebody else in the lab's networks, in words."""
    return find_foreign(layout, _ip("addr", "show"), _ip("-4", "route", "show"))


def find_foreign(
    layout: Layout, links: Sequence[Mapping[str, Any]], routes: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Judge what `ip -json addr` and `ip -json route` show."""
    prefix = layout.host_address.removesuffix("0.1")
    ours = {link["ifname"] for link in links if _is_ours(layout, link)}
    taken = (
        f"interface {layout.link} of {link['ifalias']}"
        for link in links
        if link["ifname"] == layout.link and layout.link not in ours
    )
    addresses = (
        f"address {entry['local']} on {link['ifname']}"
        for link in links
        if link["ifname"] not in ours
        for entry in link.get("addr_info", ())
        if entry.get("local", "").startswith(prefix)
    )
    via_others = (
        f"route {route['dst']} on {route.get('dev', '?')}"
        for route in routes
        if route.get("dev") not in ours and route["dst"].startswith(prefix)
    )
    return tuple(sorted({*taken, *addresses, *via_others}))


def _owner(layout: Layout) -> str:
    """What the link is labelled with; one without a label is what a crash has left."""
    return f"slipway:{layout.state}"


def _is_ours(layout: Layout, link: Mapping[str, Any]) -> bool:
    owner = str(link.get("ifalias", _owner(layout)))
    return str(link["ifname"]) == layout.link and owner == _owner(layout)


def _answers(layout: Layout, init: int) -> bool:
    """Say whether the link's other end is in the namespaces of this init."""
    inside = ["nsenter", "--target", str(init), "--net", "--"]
    shown = process.run([*inside, "ip", "-json", "addr", "show"], timeout=_QUICK).stdout
    addresses = {
        entry.get("local") for link in json.loads(shown) for entry in link.get("addr_info", ())
    }
    return layout.node_address in addresses


def _batch(prefix: list[str], commands: list[str]) -> None:
    options = process.Options(stdin="".join(f"{command}\n" for command in commands))
    process.run([*prefix, "ip", "-batch", "-"], timeout=_QUICK, options=options)


def _ip(*arguments: str) -> list[dict[str, Any]]:
    shown = process.run(["ip", "-json", *arguments], timeout=_QUICK).stdout
    return list(json.loads(shown or "[]"))
