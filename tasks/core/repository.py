"""What a host of repositories calls the one at an address."""

import re
from urllib.parse import urlsplit

__all__ = ["last_word", "name_at"]

_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>(?!//).+)")
_NAME = re.compile(r"/*(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/*")


def name_at(address: str, host: str) -> str | None:
    """Return the `owner/name` of the repository at an address; None where it is elsewhere.

    Args:
        address: `https://host/owner/name.git`, `ssh://git@host/owner/name` or
            `git@host:owner/name`.
        host: name of the host, with its port where that is not the usual one.
    """
    parts = urlsplit(address)
    if parts.scheme in ("https", "http", "ssh"):
        where, path = parts.netloc.rpartition("@")[2], parts.path
    elif scp := _SCP.fullmatch(address):
        where, path = scp["host"], scp["path"]
    else:
        return None
    found = _NAME.fullmatch(path)
    # ssh goes to a port of its own, also under a name of its own: ssh.github.com:443
    is_ssh = parts.scheme == "ssh"
    same = {host, f"ssh.{host}"} if is_ssh else {host}
    there = (where.rpartition(":")[0] or where) if is_ssh else where
    if found is None or there.casefold() not in {each.casefold() for each in same}:
        return None
    return f"{found['owner']}/{found['name']}"


def last_word(address: str) -> str:
    """Return what people call the repository at an address or path: `shop` of `…/shop.git`."""
    return address.rstrip("/").removesuffix(".git").rpartition("/")[2].rpartition("@")[2]
