"""YAML with the line of every key: plain values, YAML 1.2's scalars, nothing that can surprise.

A node library's own constructor would turn `16:00` into 960 and `no` into false; here only true
and false are booleans and a date stays text until the model reads it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from tasks.core.config.problem import Finding, Path

__all__ = ["Document", "Value", "parse"]

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]

MAX_CHARACTERS = 1_000_000
MAX_NODES = 50_000
MAX_DEPTH = 50
_TAG = "tag:yaml.org,2002:"
_TAGS = {f"{_TAG}{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map")}


@dataclass(slots=True)
class Document:
    """A parsed file.

    Attributes:
        data: plain values; None where the file could not be read as YAML.
        lines: line of each key and list item, counted from 1.
        findings: faults of the YAML itself, with their lines.
    """

    data: Value = None
    lines: dict[Path, int] = field(default_factory=dict)
    findings: list[tuple[int, Finding]] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Line of a path, or of its nearest parent that the file has."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core schema: fewer words mean something else than they say."""


_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]{1,300}", list("-+0123456789")),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"^(?:{_pattern})$"), _first)


def parse(text: str) -> Document:
    """Read one YAML document; every fault becomes a finding, nothing is raised."""
    document = Document()
    if len(text) > MAX_CHARACTERS:
        document.findings.append((1, Finding((), "is longer than a million characters", _SMALLER)))
        return document
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        document.findings.append(_syntax(error, text))
    except RecursionError:
        document.findings.append((1, Finding((), "is nested too deeply", _SMALLER)))
    else:
        if node is not None:
            document.data = _Reader(document).read(node, (), ())
    return document


_SMALLER = "keep only what slipway.yaml needs; slipway check --schema lists it"


def _syntax(error: yaml.YAMLError, text: str) -> tuple[int, Finding]:
    remedy = "correct the YAML here; the rest of the file is checked after that"
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "cannot be read"
        line = _line(mark, text) if mark else 1
        return line, Finding((), f"is no valid YAML: {what}", remedy)
    position = getattr(error, "position", 0)
    line = min(text.count("\n", 0, position) + 1, _last_line(text))
    return line, Finding((), "holds a character that YAML does not allow", remedy)


def _line(mark: yaml.Mark, text: str) -> int:
    return max(1, min(mark.line + 1, _last_line(text)))


def _last_line(text: str) -> int:
    return max(1, len(text.splitlines()))


@dataclass(slots=True)
class _Reader:
    """Turns nodes into plain values and notes the lines and faults on the way."""

    document: Document
    nodes: int = 0

    def read(self, node: yaml.Node, path: Path, above: tuple[int, ...]) -> Value:
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        self.nodes += 1
        if self._refuse(node, path, above):
            return None
        match node:
            case yaml.MappingNode():
                return self._mapping(node, path, (*above, id(node)))
            case yaml.SequenceNode():
                return self._sequence(node, path, (*above, id(node)))
            case yaml.ScalarNode():
                return _scalar(node)
            case _:
                return None

    def _refuse(self, node: yaml.Node, path: Path, above: tuple[int, ...]) -> bool:
        if id(node) in above:
            self._found(node, path, "contains itself", "write the value out instead of the alias")
        elif len(above) > MAX_DEPTH:
            self._found(node, path, "is nested too deeply", _SMALLER)
        elif self.nodes > MAX_NODES:
            if self.nodes == MAX_NODES + 1:
                self._found(node, path, "holds more than 50,000 values", _SMALLER)
        elif node.tag not in _TAGS:
            self._found(node, path, f"has the tag {node.tag}", "remove the tag")
        else:
            return False
        return True

    def _sequence(self, node: yaml.SequenceNode, path: Path, above: tuple[int, ...]) -> list[Value]:
        return [self.read(item, (*path, index), above) for index, item in enumerate(node.value)]

    def _mapping(
        self, node: yaml.MappingNode, path: Path, above: tuple[int, ...]
    ) -> dict[str, Value]:
        values: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key, value in self._pairs(node, path):
            if key.tag == f"{_TAG}merge":
                merged.update(self._merge(value, path, above))
                continue
            name = str(key.value)
            if name in values:
                self._duplicate(key, path, name)
                continue
            self.document.lines[*path, name] = key.start_mark.line + 1
            values[name] = self.read(value, (*path, name), above)
        return {**merged, **values}

    def _pairs(
        self, node: yaml.MappingNode, path: Path
    ) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key, value
            else:
                self._found(key, path, "has a list or a mapping as a key", "use a word as the key")

    def _merge(self, node: yaml.Node, path: Path, above: tuple[int, ...]) -> dict[str, Value]:
        """Values of `<<: *anchor`; they count for less than what stands beside them."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Value] = {}
        for source in reversed(sources):
            value = self.read(source, path, above)
            if isinstance(value, dict):
                merged.update(value)
            else:
                self._found(source, path, "merges something that is no mapping", "remove the <<")
        return merged

    def _duplicate(self, key: yaml.ScalarNode, path: Path, name: str) -> None:
        first = self.document.lines[*path, name]
        remedy = f"keep one of the two; the first stands in line {first}"
        self._found(key, (*path, name), "stands here twice", remedy)

    def _found(self, node: yaml.Node, path: Path, message: str, remedy: str) -> None:
        finding = Finding(path, message, remedy)
        self.document.findings.append((node.start_mark.line + 1, finding))


def _scalar(node: yaml.ScalarNode) -> Value:
    text = str(node.value)
    match str(node.tag).removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return _number(text, int)
        case "float":
            return _number(text, float)
        case _:
            return text


def _number(text: str, kind: type[int] | type[float]) -> Value:
    """Read a number; an explicit tag (`!!int abc`) may promise more than the text holds."""
    try:
        return kind(text)
    except ValueError:
        return text
