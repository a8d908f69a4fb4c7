"""Addresses that programs and people can open."""

from urllib.parse import urlsplit

__all__ = ["wrong_with"]


def wrong_with(url: str) -> str | None:
    """Say what is wrong with an address of http or https, None where nothing is."""
    no_address = f"must be an address with http or https and a host, got {url!r}"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return no_address
    if parts.username is not None:
        return "must hold no user name and no password: addresses are logged"
    return None if parts.scheme in {"http", "https"} and parts.hostname else no_address
