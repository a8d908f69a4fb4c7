"""The file against the model: unknown keys, wrong types, missing keys, numbers out of range."""

import copy
import difflib
import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from tasks.core.application import Application
from tasks.core.config.document import Value
from tasks.core.config.problem import Finding, Path, dotted
from tasks.core.config.schema import properties_at

__all__ = ["ADAPTER", "read_strictly", "salvage", "shape_findings"]

ADAPTER = TypeAdapter(Application)
ROUNDS = 100
_SHOWN = 40
_STRATEGIES = ("rolling", "canary", "blueGreen")


def read_strictly(data: Value) -> Application:
    """Build the model; JSON's strict mode takes lists and dates but no `"80"` for a number.

    Raises:
        ValidationError: it does not fit.
    """
    return ADAPTER.validate_json(json.dumps(data), strict=True, by_alias=True, by_name=False)


def shape_findings(data: Value) -> list[Finding]:
    """Everything in which the file is not of the model's shape."""
    if not isinstance(data, dict):
        what = "is empty" if data is None else "must be a mapping"
        return [Finding((), what, "slipway init PATH writes a first slipway.yaml")]
    found = _strategies(data)
    try:
        read_strictly(data)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            # counted by _strategies, which other faults inside the strategy do not stop
            if details["type"] != "strategy_count":
                found.append(_finding(details, data))
    return found


def _strategies(data: dict[str, Value]) -> list[Finding]:
    environments = data.get("environments")
    found = []
    for name, environment in _mapping(environments).items():
        strategy = _mapping(environment).get("strategy")
        if not isinstance(strategy, dict):
            continue
        path: Path = ("environments", name, "strategy")
        named = [word for word in _STRATEGIES if strategy.get(word) is not None]
        empty = [word for word in _STRATEGIES if word in strategy and strategy[word] is None]
        if not named and empty:
            found.append(
                Finding((*path, empty[0]), "is empty", f"write `{empty[0]}: {{}}` for its defaults")
            )
        elif len(named) != 1:
            what = f"names {', '.join(named)}" if named else "names none"
            remedy = "keep one of rolling, canary, blueGreen"
            found.append(Finding(path, f"must name exactly one strategy, {what}", remedy))
    return found


def _mapping(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def _finding(details: ErrorDetails, data: Value) -> Finding:
    path = details["loc"]
    if _is_about_key(details):
        path = path[:-1]
        return Finding(path, _NAME, f"rename it, such as {_as_name(str(path[-1]))!r}")
    kind = details["type"]
    if kind == "missing":
        return Finding(path, "is missing", f"add `{path[-1]}: ...` under {_parent(path)}")
    if kind == "unexpected_keyword_argument":
        return Finding(path, "is not known here", _did_you_mean(path))
    message = _message(kind, details.get("ctx", {}), details["msg"])
    value = _at(data, path)
    if isinstance(value, (dict, list)):
        return Finding(path, message, "slipway check --schema lists what may stand here")
    got = "" if ", got " in message else f", got {_show(value)}"
    return Finding(path, f"{message}{got}", _remedy(kind, path))


def _is_about_key(details: ErrorDetails) -> bool:
    """Whether pydantic means the name of a mapping's key: it says `[key]` after the path."""
    kinds = {"string_pattern_mismatch", "string_too_long"}
    return details["loc"][-1:] == ("[key]",) and details["type"] in kinds


_NAME = (
    "must be a name of at most 40 lower-case letters, digits and dashes that begins and ends"
    " with a letter or a digit"
)
_WEEKDAY = "must be a weekday and a time such as `Fri 16:00`"
_MOMENTS = ((r"\d{4}", f"{_WEEKDAY}, or a day such as `2026-12-24`"), ("Mon|", _WEEKDAY))
_KINDS = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "dataclass_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "tuple_type": "must be a list",
    "time_delta_type": "must be a duration such as 30s, 15m, 24h or 1d12h",
    "time_delta_parsing": "must be a duration such as 30s, 15m, 24h or 1d12h",
    "date_type": "must be a date such as 2026-12-31",
    "date_parsing": "must be a date such as 2026-12-31",
    "date_from_datetime_parsing": "must be a date such as 2026-12-31",
}
_LIMITS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than": lambda ctx: f"must be more than {ctx['gt']:g}",
    "greater_than_equal": lambda ctx: f"must be at least {ctx['ge']:g}",
    "less_than": lambda ctx: f"must be less than {ctx['lt']:g}",
    "less_than_equal": lambda ctx: f"must be at most {ctx['le']:g}",
    "too_short": lambda ctx: f"must hold at least {ctx['min_length']}",
    "string_too_short": lambda ctx: f"must be at least {ctx['min_length']} characters long",
    "string_too_long": lambda ctx: f"must be at most {ctx['max_length']} characters long",
    "enum": lambda ctx: f"must be {ctx['expected']}",
    "literal_error": lambda ctx: f"must be {ctx['expected']}",
    "value_error": lambda ctx: str(ctx["error"]),
}


def _message(kind: str, context: Mapping[str, Any], text: str) -> str:
    if kind == "string_pattern_mismatch":
        return next((said for part, said in _MOMENTS if part in context["pattern"]), _NAME)
    if kind in _LIMITS:
        return _LIMITS[kind](context)
    return _KINDS.get(kind, text[:1].lower() + text[1:])


_REMEDIES = {
    "string_type": "put it between quotation marks if it is meant as text",
    "int_type": "write digits without quotation marks",
    "float_type": "write digits without quotation marks",
    "bool_type": "write true or false without quotation marks",
    "time_delta_type": "write the number with its unit, such as 30s",
    "greater_than": "write a larger number",
    "greater_than_equal": "write a larger number",
    "less_than": "write a smaller number",
    "less_than_equal": "write a smaller number",
    "enum": "write one of these words",
    "literal_error": "write one of these words",
}


def _remedy(kind: str, path: Path) -> str:
    if path[-1:] == ("objective",) and kind == "less_than":
        return "leave an error budget: 99.9 allows one failure in a thousand requests"
    return _REMEDIES.get(kind, "slipway check --schema lists what may stand here")


def _did_you_mean(path: Path) -> str:
    known = sorted(properties_at(path[:-1]))
    near = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    return f"remove it, or use one of {', '.join(known)}"


def _parent(path: Path) -> str:
    return dotted(path[:-1]) or "the top level"


def _as_name(text: str) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)
    return kept.lower().strip("-")[:40].strip("-") or "api"


def _show(value: Value) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _at(data: Value, path: Path) -> Value:
    for part in path:
        data = _child(data, part)
    return data


def _child(data: Value, part: str | int) -> Value:
    if isinstance(data, dict):
        return data.get(str(part))
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return None


def salvage(data: Value) -> Application | None:
    """Build the model from what is right, so that one fault does not hide another.

    What is wrong is taken out, what is missing is filled in where text will do; the caller
    drops findings about such places. None where too little is left.
    """
    data = copy.deepcopy(data)
    filled: set[Path] = set()
    for _ in range(ROUNDS):
        try:
            return read_strictly(data)
        except ValidationError as error:
            details = error.errors(include_url=False)[0]
        if not _mend(data, details, filled):
            return None
    return None


_STAND_INS: dict[str | int, Value] = {
    "approvers": [f"placeholder-{number}" for number in range(10)],
    "cron": "0 3 * * *",
    "expires": "2999-12-31",
    "from": "Mon 00:01",
    "keys": ["placeholder"],
    "objective": 99,
    "steps": [100],
    "threshold": "1s",
    "to": "Mon 00:02",
}


def _mend(data: Value, details: ErrorDetails, filled: set[Path]) -> bool:
    path = details["loc"]
    if _is_about_key(details):
        path = path[:-1]
    elif details["type"] == "missing" and path not in filled:
        filled.add(path)
        parent = _at(data, path[:-1])
        if isinstance(parent, dict):
            parent[str(path[-1])] = _STAND_INS.get(path[-1], f"placeholder-{len(filled)}")
            return True
    elif details["type"] == "missing":
        path = path[:-1]
    return _remove(data, path)


def _remove(data: Value, path: Path) -> bool:
    """Take a value out; of a list all of it, so that the other positions keep their meaning."""
    if not path:
        return False
    parent = _at(data, path[:-1])
    if isinstance(parent, dict) and path[-1] in parent:
        del parent[str(path[-1])]
        return True
    return _remove(data, path[:-1])
