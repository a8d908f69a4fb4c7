import re
from pathlib import Path

import pytest

from tasks.core.config import schema

REFERENCE = Path(__file__).parents[4] / "docs" / "slipway-yaml.md"
INLINE = {"Grpc", "Tcp", "ProbeJob"}
"""Told in the row of the key that holds them."""


def described() -> dict[str, set[str]]:
    """Keys of each object, by the sections of the page."""
    parts = re.split(r"^## ", REFERENCE.read_text(), flags=re.MULTILINE)[1:]
    pairs = (part.partition("\n") for part in parts)
    return {name: set(re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE)) for name, _, body in pairs}


def accepted() -> dict[str, set[str]]:
    """Keys of each object, by the schema; `Hooks` is told by what its two lists hold."""
    whole = schema()
    objects = {"Application": whole, **whole["$defs"]}
    keys = {name: set(each["properties"]) for name, each in objects.items() if "properties" in each}
    hook = keys.pop("Hook")
    return {**keys, "Hooks": hook}


@pytest.mark.parametrize("name", sorted(accepted().keys() - INLINE))
def test_the_reference_describes_each_key_and_no_other(name: str) -> None:
    assert described()[name] == accepted()[name]
