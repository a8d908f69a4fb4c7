"""The part of GitHub's stand-in that knows branches, hooks and what was sent to them.

A test puts deliveries into `deliveries`, by the path of their hook, the newest first; what is
asked for again is noted in `asked_again`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

__all__ = ["ROUTES", "fresh", "sent"]

PUBLISHED = json.loads(Path(__file__).with_suffix(".json").read_text())["responses"]
LISTED = "GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries"

World = dict[str, Any]


def fresh() -> World:
    return {
        "default_branch": "main",
        "pushed_at": "2026-01-01T00:00:00Z",
        "branches": {},
        "messages": {},
        "hooks": [],
        "deliveries": {},
        "asked_again": [],
    }


def sent(number: int, at: str, event: str, payload: World, **more: Any) -> World:  # noqa: ANN401 JSON
    """Return a delivery as GitHub keeps it; a failed one, if nothing else is said."""
    shown = _example(LISTED)[0]
    told = {"id": number, "guid": f"guid-{number}", "delivered_at": at, "event": event}
    failed = {"status": "failed to connect", "status_code": 502, "redelivery": False}
    return {**shown, **failed, **told, **more, "payload": payload}


def _commit(world: World, request: Request, _body: World) -> Response:
    sha = request.path_params["sha"]
    shown = _example("GET /repos/{owner}/{repo}/commits/{ref}")
    shown["sha"] = sha
    shown["commit"]["message"] = world["messages"].get(sha, "Sell more")
    return JSONResponse(shown)


def _repository(world: World, _request: Request, _body: World) -> Response:
    shown = _example("GET /repos/{owner}/{repo}")
    told = {name: world[name] for name in ("default_branch", "pushed_at")}
    return JSONResponse({**shown, **told, "full_name": world["repository"]})


def _matching_refs(world: World, request: Request, _body: World) -> Response:
    shown = _example("GET /repos/{owner}/{repo}/git/matching-refs/{ref}")[0]
    begin = f"refs/{request.path_params['ref']}"
    found = [
        {**shown, "ref": ref, "object": {**shown["object"], "sha": sha}}
        for ref, sha in world["branches"].items()
        if ref.startswith(begin)
    ]
    return JSONResponse(found)


def _hooks(world: World, _request: Request, _body: World) -> Response:
    shown = _example("GET /repos/{owner}/{repo}/hooks")[0]
    return JSONResponse([{**shown, "id": number} for number in world["hooks"]])


def _deliveries(world: World, request: Request, _body: World) -> Response:
    """Answer a page; the next one begins at a delivery, not at a number."""
    found = world["deliveries"].get(_hook(request), [])
    begin, size = (
        int(request.query_params.get(n, d)) for n, d in (("cursor", 0), ("per_page", 30))
    )
    listed = [{k: v for k, v in each.items() if k != "payload"} for each in found]
    headers = {}
    if len(found) > begin + size:
        url = request.url.include_query_params(cursor=begin + size)
        headers["link"] = f'<{url}>; rel="next"'
    return JSONResponse(listed[begin : begin + size], headers=headers)


def _delivery(world: World, request: Request, _body: World) -> Response:
    number = int(request.path_params["delivery_id"])
    found = world["deliveries"].get(_hook(request), [])
    its = next((each for each in found if each["id"] == number), None)
    if its is None:
        return JSONResponse({"message": "Not Found"}, 404)
    shown = _example(f"{LISTED}/{{delivery_id}}")
    told = {name: value for name, value in its.items() if name != "payload"}
    return JSONResponse({**shown, **told, "request": {"headers": {}, "payload": its["payload"]}})


def _attempt(world: World, request: Request, _body: World) -> Response:
    world["asked_again"].append(int(request.path_params["delivery_id"]))
    return JSONResponse({}, 202)


def _hook(request: Request) -> str:
    return str(request.url.path).partition("/deliveries")[0]


def _example(operation: str) -> Any:  # noqa: ANN401 JSON
    return json.loads(json.dumps(PUBLISHED[operation]))


_REPO = "/repos/{owner}/{repo}"
_BY_HOOK = "deliveries/{delivery_id}"
ROUTES: tuple[tuple[str, str, Callable[[World, Request, World], Response]], ...] = (
    ("GET", _REPO, _repository),
    ("GET", f"{_REPO}/git/matching-refs/{{ref:path}}", _matching_refs),
    ("GET", f"{_REPO}/commits/{{sha}}", _commit),
    ("GET", f"{_REPO}/hooks", _hooks),
    *(
        route
        for hook in (f"{_REPO}/hooks/{{hook_id}}", "/app/hook")
        for route in (
            ("GET", f"{hook}/deliveries", _deliveries),
            ("GET", f"{hook}/{_BY_HOOK}", _delivery),
            ("POST", f"{hook}/{_BY_HOOK}/attempts", _attempt),
        )
    ),
)
