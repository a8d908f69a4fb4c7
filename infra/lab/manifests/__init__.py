"""Kubernetes objects of the lab itself, as files with ${names} to fill in."""

from pathlib import Path
from string import Template

__all__ = ["read"]

_HERE = Path(__file__).parent


def read(folder: str, **values: str) -> str:
    """Return every manifest of a folder as one YAML stream.

    Raises:
        KeyError: a manifest names a value that is not given.
    """
    files = sorted((_HERE / folder).glob("*.yaml"))
    return "\n---\n".join(Template(file.read_text()).substitute(values) for file in files)
