"""Which cluster, registry and builders to work with: named by a person, never picked up."""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from tasks.core.errors import ConfigError
from tasks.core.http import system_authorities
from tasks.core.paths import state_dir
from tasks.core.target import Target

__all__ = ["Named", "choose", "chosen"]

_ADAPTER = TypeAdapter(Target)


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """What a person named on the command line; None where they were silent."""

    context: str | None = None
    registry: str | None = None
    kubeconfig: str | None = None
    builder: str | None = None
    docker_host: str | None = None


def choose(target: Target) -> None:
    """Make a target this instance's own, for commands and forms that name none."""
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_ADAPTER.dump_json(target, indent=2))


def chosen(named: Named | None = None) -> Target:
    """Return this instance's target with what the command line names put over it.

    Raises:
        ConfigError: nothing was ever named, or the kubeconfig has no such context.
    """
    words = {name: value for name, value in dataclasses.asdict(named or Named()).items() if value}
    if "kubeconfig" in words:
        words["kubeconfig"] = _from_anywhere(words["kubeconfig"])
    target = _with_words(words)
    if words.keys() & {"context", "kubeconfig"}:
        _require_context(target)
    return target


def _with_words(words: dict[str, str]) -> Target:
    try:
        stored = _ADAPTER.validate_json(_file().read_bytes())
    except FileNotFoundError:
        return _from_words(words)
    except ValidationError as error:
        raise ConfigError(
            "is damaged", where=str(_file()), next_step="remove it, then slipway up again"
        ) from error
    named_cluster = {name: words[name] for name in ("context", "kubeconfig") if name in words}
    if dataclasses.replace(stored, **named_cluster) != stored:
        stored = _elsewhere(stored)
    return dataclasses.replace(stored, **words)


def _elsewhere(stored: Target) -> Target:
    """Forget what belongs to the stored cluster alone: probes must not ask its ingress."""
    stored = dataclasses.replace(stored, ingress=None, prometheus=None)
    if Path(stored.kubeconfig).is_relative_to(state_dir()):
        # no other cluster reaches the lab's registry
        stored = dataclasses.replace(stored, kubeconfig=_own_kubeconfig(), registry="")
    return stored


def _from_anywhere(kubeconfig: str) -> str:
    """Name files so that a worker, which runs elsewhere, finds them."""
    files = [Path(file).expanduser() for file in kubeconfig.split(os.pathsep) if file]
    return os.pathsep.join(str(file.absolute()) for file in files)


def _require_context(target: Target) -> None:
    """See that the kubeconfig has the context; without one, each environment names its own."""
    known = list(_contexts(target.kubeconfig))
    if target.context and target.context not in known:
        raise ConfigError(
            f"has no context {target.context!r}, but {', '.join(known) or 'none at all'}",
            where=target.kubeconfig,
            next_step="name one of these with --context, or another file with --kubeconfig",
        )


def _contexts(kubeconfig: str) -> Iterator[str]:
    """Yield the names of the contexts in the files of a kubeconfig; some may be missing, not all.

    Raises:
        ConfigError: none can be read.
    """
    files = [Path(file).expanduser() for file in kubeconfig.split(os.pathsep) if file]
    there = [file for file in files if file.is_file()]
    if not there:
        what = "there is no such kubeconfig"
        raise ConfigError(what, where=kubeconfig, next_step="name a file with --kubeconfig")
    for file in there:
        content = _read(file)
        found = content.get("contexts") if isinstance(content, dict) else None
        yield from (str(each.get("name")) for each in found or () if isinstance(each, dict))


def _read(file: Path) -> Any:  # noqa: ANN401 a file of somebody else's
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(
            f"cannot be read: {' '.join(str(error).split())}",
            where=str(file),
            next_step="name another file with --kubeconfig",
        ) from error


def _own_kubeconfig() -> str:
    return _from_anywhere(os.environ.get("KUBECONFIG") or "~/.kube/config")


def _from_words(words: dict[str, str]) -> Target:
    if not words:
        raise ConfigError(
            "no cluster was named",
            next_step="slipway up --lab for the embedded lab, or name --context and --registry",
        )
    defaults = {
        "context": "",  # then each environment names its own
        "registry": "",  # then the application does
        "kubeconfig": _own_kubeconfig(),
        "builder": os.environ.get("BUILDKIT_HOST", "unix:///run/buildkit/buildkitd.sock"),
        "docker_host": os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"),
    }
    return Target(**{**defaults, **words}, ca_certificates=system_authorities())


def _file() -> Path:
    return state_dir() / "target.json"
