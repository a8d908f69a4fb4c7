"""An application's rules and routes in the lab's own Prometheus and Alertmanager."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from infra.lab.layout import Layout
from infra.lab.node import Node
from infra.monitoring.routes import Routes, alertmanager_config
from infra.monitoring.yaml_text import yaml_text
from tasks.core.errors import ConfigError, ToolFailed, Unavailable
from tasks.core.files import write_whole

__all__ = ["Watched", "base_routes", "install", "remove", "route_alerts", "token_file"]

_TIMEOUT = 20.0
_BEGIN = "slipway up --lab"


@dataclass(frozen=True, slots=True)
class Watched:
    """What an application is watched by.

    Attributes:
        rules: files of rules, by name; each name begins with the application's and a dot.
        token: bearer token for the receiver of missed objectives.
    """

    application: str
    rules: Mapping[str, str]
    routes: Routes
    token: str


def base_routes() -> str:
    """Return the configuration with which Alertmanager starts: nobody is told."""
    return yaml_text(alertmanager_config(()))


def token_file(layout: Layout, application: str) -> Path:
    """Where the lab's Alertmanager finds the token for an application's receiver."""
    return layout.etc / "tokens" / application


def install(layout: Layout, watched: Watched) -> None:
    """Load an application's rules and routes in the place of those that it had before.

    Raises:
        ConfigError: Prometheus or Alertmanager would not take them; nothing was changed.
        Unavailable: the lab does not run.
    """
    _check(layout, watched)
    _forget(layout, watched.application)
    for name, text in watched.rules.items():
        write_whole(layout.etc / "rules" / name, text.encode())
    token = token_file(layout, watched.application)
    token.parent.mkdir(mode=0o700, exist_ok=True)
    write_whole(token, watched.token.encode())
    write_whole(
        _routes_folder(layout) / f"{watched.application}.json",
        json.dumps(asdict(watched.routes)).encode(),
    )
    _reload(f"{layout.prometheus}/-/reload")
    route_alerts(layout)


def remove(layout: Layout, application: str) -> bool:
    """Take an application's rules and routes away; say whether there were any."""
    found = _forget(layout, application)
    if found:
        _reload(f"{layout.prometheus}/-/reload")
        route_alerts(layout)
    return found


def route_alerts(layout: Layout) -> None:
    """Let Alertmanager route the alerts of every application that is loaded."""
    config = layout.etc / "alertmanager.yaml"
    text = yaml_text(alertmanager_config(_loaded(layout).values())).encode()
    if not config.exists() or config.read_bytes() != text:
        write_whole(config, text)
        _reload(f"{layout.alertmanager}/-/reload")


def _check(layout: Layout, watched: Watched) -> None:
    """Let Prometheus' and Alertmanager's own tools read everything before it is in place."""
    draft = layout.etc / "draft" / watched.application
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, text in watched.rules.items():
        (draft / name).write_text(text)
    routes = {**_loaded(layout), watched.application: watched.routes}
    (draft / "routes").write_text(yaml_text(alertmanager_config(routes.values())))
    files = [str(draft / name) for name in watched.rules]
    try:
        _ask(layout, ["/usr/bin/promtool", "check", "rules", *files])
        _ask(layout, ["/usr/bin/amtool", "check-config", str(draft / "routes")])
    finally:
        shutil.rmtree(draft)


def _ask(layout: Layout, argv: list[str]) -> None:
    node = Node(layout)
    if node.init is None:
        raise Unavailable("does not run", where="lab", next_step=_BEGIN)
    try:
        node.run(argv)
    except ToolFailed as error:
        raise ConfigError(
            f"{Path(argv[0]).name} would not take it: {error.what}",
            where="slipway.yaml",
            next_step="correct the query or the route that it names",
        ) from error


def _forget(layout: Layout, application: str) -> bool:
    rules = [*(layout.etc / "rules").glob(f"{application}.*.yaml")]
    others = [_routes_folder(layout) / f"{application}.json", token_file(layout, application)]
    found = [file for file in (*rules, *others) if file.exists()]
    for file in found:
        file.unlink()
    return bool(found)


def _loaded(layout: Layout) -> dict[str, Routes]:
    found = {}
    for file in sorted(_routes_folder(layout).glob("*.json")):
        content = json.loads(file.read_bytes())
        found[file.stem] = Routes(content["route"], tuple(content["receivers"]))
    return found


def _routes_folder(layout: Layout) -> Path:
    folder = layout.etc / "routes"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _reload(url: str) -> None:
    try:
        answer = httpx.post(url, timeout=_TIMEOUT, trust_env=False)
    except httpx.HTTPError as error:
        raise Unavailable(f"{url} does not answer", where="lab", next_step=_BEGIN) from error
    if not answer.is_success:
        raise ConfigError(f"refused by {url}: {answer.text.strip()}", where="lab")
