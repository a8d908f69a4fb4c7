"""Addresses that programs and people can open."""

from urllib.parse import urlsplit

__all__ = ["is_address"]


def is_address(url: str) -> bool:
    """Say whether a text is an address with http or https and a host."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
