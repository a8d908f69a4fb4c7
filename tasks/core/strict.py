"""How the classes of slipway.yaml are validated, and the names that may stand in it."""

from typing import Annotated

from pydantic import ConfigDict, StringConstraints

__all__ = ["STRICT", "Name"]

STRICT = ConfigDict(extra="forbid", use_attribute_docstrings=True)

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=40)]
"""What may stand in a Kubernetes object's name and label (RFC 1123)."""
