"""JSON schema of slipway.yaml for editors (draft 2020-12), with the model's own words."""

import functools
import inspect
import re
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from tasks.core import (
    application,
    gates,
    monitoring,
    notices,
    previews,
    probes,
    slos,
    strategy,
    triggers,
)
from tasks.core.config.problem import Path
from tasks.core.units import format_duration

__all__ = ["properties_at", "schema"]

Schema = dict[str, Any]
_DURATION = TypeAdapter(timedelta)
_MODEL = {
    name: value
    for module in (
        application,
        gates,
        monitoring,
        notices,
        previews,
        probes,
        slos,
        strategy,
        triggers,
    )
    for name, value in vars(module).items()
}


@functools.cache
def schema() -> Schema:
    """Return the schema; every class and key has the description of its docstring."""
    whole: Schema = TypeAdapter(application.Application).json_schema(by_alias=True)
    for name, part in whole["$defs"].items():
        _describe(part, _MODEL[name])
    _describe(whole, application.Application)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "slipway.yaml",
        **{key: value for key, value in whole.items() if key != "title"},
    }


def properties_at(path: Path) -> frozenset[str]:
    """Names of the keys that the model knows at a place; none where anything may stand."""
    part: Schema = schema()
    for step in path:
        part = _below(_mapping_of(part), step)
    return frozenset(_mapping_of(part).get("properties", {}))


def _below(part: Schema, step: str | int) -> Schema:
    if isinstance(step, int):
        return dict(part.get("items", {}))
    by_name = part.get("patternProperties", {}).values()  # of maps whose keys are names
    rest = next(iter(by_name), part.get("additionalProperties"))
    named = part.get("properties", {}).get(step)
    return dict(named or (rest if isinstance(rest, dict) else {}))


def _mapping_of(part: Schema) -> Schema:
    """Follow references and take the branch of a union that is a mapping, if there is one."""
    if "$ref" in part:
        return dict(schema()["$defs"][part["$ref"].rsplit("/", 1)[-1]])
    branches = [_mapping_of(branch) for branch in part.get("anyOf", ())]
    mappings = [branch for branch in branches if branch.get("type") != "null"]
    return max(mappings, key=lambda branch: "properties" in branch, default=part)


def _describe(part: Schema, owner: type) -> None:
    text = inspect.cleandoc(owner.__doc__ or "")
    summary, _, attributes = text.partition("\n\nAttributes:\n")
    part["description"] = " ".join(summary.split())
    words = _attributes(attributes)
    for name, value in part.get("properties", {}).items():
        value.pop("title", None)
        if name in words:
            value["description"] = words[name]
        if value.get("default") is not None:
            value["default"] = _default(value["default"], value)


def _attributes(text: str) -> dict[str, str]:
    """Read the lines `name, other: words` of a docstring in Google's style."""
    words: dict[str, str] = {}
    current: tuple[str, ...] = ()
    for line in text.splitlines():
        start = re.fullmatch(r" {4}([a-z_]+(?:, [a-z_]+)*): (.*)", line)
        if start:
            current = tuple(start[1].split(", "))
        for name in current:
            words[name] = start[2] if start else f"{words[name]} {line.strip()}".strip()
    return words


def _default(default: object, part: Schema) -> object:
    """Write durations and sizes in the file's own notation."""
    if isinstance(default, str) and re.fullmatch(r"P[0-9DTHMS.]+", default):
        return format_duration(_DURATION.validate_python(default))
    if isinstance(default, int) and part.get("type") == "string":
        return f"{default // 2**20}MiB"
    return default
