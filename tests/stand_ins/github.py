"""GitHub's REST API as far as Slipway speaks it, in a process of its own.

It proves who asks (a token, or an App's JWT by its public key), holds request bodies to GitHub's
published schema, answers in the shape of its published examples, and fails when it is told to.
`ROUTES` is what it can do; a test reads and changes what it knows through `StandIn`.
"""

import json
import multiprocessing
import re
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import jwt
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.core.clock import utc_now
from tasks.core.github_login import AppKey, Login, PersonalToken
from tests.stand_ins import github_hooks

__all__ = ["APP", "REPOSITORY", "TOKEN", "StandIn", "app_key", "standing_in"]

REPOSITORY, TOKEN, APP = "acme/shop", "github_pat_of_the_tests", "Iv23of-the-tests"
PUBLISHED = json.loads(Path(__file__).with_name("github_schema.json").read_text())
DESCRIPTION, BODY = 140, 65_536
OLDEST_JWT = timedelta(minutes=10)
_SPAWN = multiprocessing.get_context("spawn")

World = dict[str, Any]
Handler = Callable[[World, Request, World], Response]


class Refused(Exception):
    """An answer that is none of 2xx."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status, self.message = status, message


def example(operation: str) -> World:
    """Return what GitHub's documentation shows as the answer, or as the only item of a list."""
    found = json.loads(json.dumps(PUBLISHED["responses"][operation]))
    return dict(found[0] if isinstance(found, list) else found)


def fresh_world(public_key: str) -> World:
    return {
        "repository": REPOSITORY,
        "public_key": public_key,
        "token_lives_seconds": 3600,
        "issued": {},
        "faults": [],
        "heard": [],
        "statuses": [],
        "deployments": [],
        "deployment_statuses": [],
        "comments": [],
        "pulls": {},
        **github_hooks.fresh(),
    }


# --- who asks


def authenticate(world: World, request: Request) -> str:
    """Return the login of who asks.

    Raises:
        Refused: the token is none, has ended, or is for something else.
    """
    if not request.headers.get("user-agent"):
        raise Refused(403, "Request forbidden by administrative rules")
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    if kind != "Bearer" or not bearer:
        raise Refused(401, "Requires authentication")
    path = request.url.path
    if path == "/app" or path.startswith("/app/") or path.endswith("/installation"):
        _require_jwt(world, bearer)
        return "octoapp[bot]"
    if bearer == TOKEN:
        return "octocat"
    issued = world["issued"].get(bearer)
    if issued is None or issued["ends"] <= utc_now().timestamp() or path == "/user":
        raise Refused(401, "Bad credentials")
    return "octoapp[bot]"


def _require_jwt(world: World, bearer: str) -> None:
    try:
        claims = jwt.decode(
            bearer,
            world["public_key"],
            algorithms=["RS256"],
            issuer=APP,
            options={"require": ["exp", "iat", "iss"]},
        )
    except jwt.PyJWTError as error:
        raise Refused(401, f"A JSON web token could not be decoded: {error}") from error
    if claims["exp"] - utc_now().timestamp() > OLDEST_JWT.total_seconds():
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")


# --- what it is asked


def validate(operation: str, body: World) -> None:
    """Hold a body to the published schema, and to what GitHub refuses beyond it.

    Raises:
        Refused: it would not take it.
    """
    schema = PUBLISHED["requests"].get(operation)
    if schema is None:
        return
    strict = {"additionalProperties": False, **schema} if "properties" in schema else schema
    try:
        jsonschema.validate(body, strict)
    except jsonschema.ValidationError as error:
        raise Refused(422, f"Invalid request: {error.message}") from error
    if len(body.get("description") or "") > DESCRIPTION:
        raise Refused(422, "Validation Failed: description is too long (maximum is 140 characters)")
    if len(body.get("body") or "") > BODY:
        raise Refused(422, "Validation Failed: body is too long (maximum is 65536 characters)")


def paged(world: World, request: Request, items: list[Any]) -> Response:
    """Answer a page; GitHub names the next one by the repository's number, not by its name."""
    size, page = (int(request.query_params.get(n, d)) for n, d in (("per_page", 30), ("page", 1)))
    rest = request.url.path.removeprefix(f"/repos/{world['repository']}")
    rest = rest.removeprefix("/repositories/1")
    headers = {}
    if len(items) > size * page:
        query = request.url.include_query_params(page=page + 1).query
        url = f"{request.url.scheme}://{request.url.netloc}/repositories/1{rest}?{query}"
        headers["link"] = f'<{url}>; rel="next"'
    return JSONResponse(items[size * (page - 1) : size * page], headers=headers)


def app(_world: World, _request: Request, _body: World) -> Response:
    return JSONResponse(example("GET /app"))


def user(_world: World, _request: Request, _body: World) -> Response:
    return JSONResponse(example("GET /user"), headers={"x-oauth-scopes": ""})


def installation(_world: World, _request: Request, _body: World) -> Response:
    return JSONResponse({**example("GET /repos/{owner}/{repo}/installation"), "id": 77})


def access_token(world: World, request: Request, body: World) -> Response:
    if request.path_params["installation_id"] != "77":
        raise Refused(404, "Not Found")
    if body.get("repositories") != [world["repository"].partition("/")[2]]:
        raise Refused(422, "There is at least one repository that does not exist")
    ends = utc_now() + timedelta(seconds=world["token_lives_seconds"])
    token = f"ghs_{secrets.token_hex(18)}"
    world["issued"][token] = {"ends": ends.timestamp()}
    shown = example("POST /app/installations/{installation_id}/access_tokens")
    told = {"token": token, "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return JSONResponse({**shown, **told}, 201)


def make_status(world: World, request: Request, body: World) -> Response:
    shown = example("POST /repos/{owner}/{repo}/statuses/{sha}")
    made = {**shown, **body, "id": len(world["statuses"]) + 1, "sha": request.path_params["sha"]}
    world["statuses"].append(made)
    return JSONResponse(made, 201)


def combined_status(world: World, request: Request, _body: World) -> Response:
    sha = request.path_params["sha"]
    newest = {each["context"]: each for each in world["statuses"] if each["sha"] == sha}
    return JSONResponse({"state": "pending", "sha": sha, "statuses": list(newest.values())})


def list_deployments(world: World, request: Request, _body: World) -> Response:
    wanted = {k: v for k, v in request.query_params.items() if k in ("sha", "environment", "task")}
    found = [
        each
        for each in reversed(world["deployments"])
        if all(each[name] == value for name, value in wanted.items())
    ]
    return paged(world, request, found)


def make_deployment(world: World, _request: Request, body: World) -> Response:
    shown = example("POST /repos/{owner}/{repo}/deployments")
    number = len(world["deployments"]) + 1
    made = {**shown, "task": "deploy", **body, "id": number, "sha": body["ref"]}
    if body.get("required_contexts") != [] or body.get("auto_merge", True):
        raise Refused(409, "Conflict: Commit status checks failed for main.")
    world["deployments"].append(made)
    return JSONResponse(made, 201)


def list_deployment_statuses(world: World, request: Request, _body: World) -> Response:
    number = int(request.path_params["deployment_id"])
    found = [each for each in world["deployment_statuses"] if each["deployment_id"] == number]
    return paged(world, request, found[::-1])


def make_deployment_status(world: World, request: Request, body: World) -> Response:
    number = int(request.path_params["deployment_id"])
    its = next((each for each in world["deployments"] if each["id"] == number), None)
    if its is None:
        raise Refused(404, "Not Found")
    shown = example("POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses")
    made = {**shown, **body, "deployment_id": number, "environment": its["environment"]}
    world["deployment_statuses"].append(made)
    return JSONResponse(made, 201)


def list_pulls(world: World, request: Request, _body: World) -> Response:
    operation = "GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls"
    found = []
    for each in world["pulls"].get(request.path_params["sha"], ()):
        shown = example(operation)
        shown["head"] |= {"sha": each["head"]}
        found.append({**shown, "number": each["number"], "merge_commit_sha": each.get("merge")})
    return paged(world, request, found)


def list_comments(world: World, request: Request, _body: World) -> Response:
    number = int(request.path_params["number"])
    return paged(world, request, [each for each in world["comments"] if each["issue"] == number])


def make_comment(world: World, request: Request, body: World) -> Response:
    shown = example("POST /repos/{owner}/{repo}/issues/{issue_number}/comments")
    author = {**shown["user"], "login": request.state.login}
    issue = int(request.path_params["number"])
    made = {**shown, **body, "id": len(world["comments"]) + 1, "user": author, "issue": issue}
    world["comments"].append(made)
    return JSONResponse(made, 201)


def change_comment(world: World, request: Request, body: World) -> Response:
    number = int(request.path_params["comment_id"])
    found = next((each for each in world["comments"] if each["id"] == number), None)
    if found is None:
        raise Refused(404, "Not Found")
    found |= body
    return JSONResponse(found)


Operation = tuple[str, str, Handler]
REPO = "/repos/{owner}/{repo}"
ROUTES: tuple[Operation, ...] = (
    ("GET", "/app", app),
    ("GET", "/user", user),
    ("POST", "/app/installations/{installation_id}/access_tokens", access_token),
    ("GET", f"{REPO}/installation", installation),
    ("POST", f"{REPO}/statuses/{{sha}}", make_status),
    ("GET", f"{REPO}/commits/{{sha}}/status", combined_status),
    ("GET", f"{REPO}/deployments", list_deployments),
    ("POST", f"{REPO}/deployments", make_deployment),
    ("GET", f"{REPO}/deployments/{{deployment_id}}/statuses", list_deployment_statuses),
    ("POST", f"{REPO}/deployments/{{deployment_id}}/statuses", make_deployment_status),
    ("GET", f"{REPO}/commits/{{sha}}/pulls", list_pulls),
    ("GET", f"{REPO}/issues/{{number}}/comments", list_comments),
    ("POST", f"{REPO}/issues/{{number}}/comments", make_comment),
    ("PATCH", f"{REPO}/issues/comments/{{comment_id}}", change_comment),
)
_PUBLISHED_AS = {"{number}": "{issue_number}"}


# --- the process


def serve(listening: socket.socket, public_key: str) -> None:
    """Answer until the process is ended."""
    world = fresh_world(public_key)

    async def told(request: Request) -> Response:
        if request.method == "PATCH":
            world.update(json.loads(await request.body()))
        return JSONResponse(world)

    routes = [Route("/stand-in", told, methods=["GET", "PATCH"])]
    for method, path, handler in (*ROUTES, *github_hooks.ROUTES):
        answer = _answering(world, method, path, handler)
        routes.append(Route(path, answer, methods=[method]))
        if path.startswith(REPO):
            by_number = path.replace(REPO, "/repositories/1")
            routes.append(Route(by_number, answer, methods=[method]))
    config = uvicorn.Config(Starlette(routes=routes), log_level="critical", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


def _answering(world: World, method: str, path: str, handler: Handler) -> Callable[..., Any]:
    operation = f"{method} {path}"
    for ours, theirs in _PUBLISHED_AS.items():
        operation = operation.replace(ours, theirs)

    async def answer(request: Request) -> Response:
        content = await request.body()
        body = json.loads(content) if content else {}
        told = f"{method} {request.url.path}"
        world["heard"].append({"operation": told, "body": body})
        fault = _fault(world, told)
        if fault is not None and not fault.get("afterwards"):
            return _failing(fault)
        try:
            request.state.login = authenticate(world, request)
            _require_repository(world, request)
            validate(operation, body)
            done = handler(world, request, body)
        except Refused as refused:
            return JSONResponse({"message": refused.message}, refused.status)
        return done if fault is None else _failing(fault)

    return answer


def _require_repository(world: World, request: Request) -> None:
    named = request.path_params
    if "owner" in named and f"{named['owner']}/{named['repo']}" != world["repository"]:
        raise Refused(404, "Not Found")


def _fault(world: World, operation: str) -> World | None:
    for fault in world["faults"]:
        if fault["times"] and re.search(fault["operation"], operation):
            fault["times"] -= 1
            return dict(fault)
    return None


def _failing(fault: World) -> Response:
    content = {"message": fault.get("message", ""), "documentation_url": fault.get("about", "")}
    return JSONResponse(content, fault["status"], headers=fault.get("headers"))


@dataclass(frozen=True)
class StandIn:
    """What a test has of the other process."""

    url: str
    private_key: str
    http: httpx.Client

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    @property
    def address(self) -> str:
        """Where the repository is cloned from."""
        return f"{self.url}/{REPOSITORY}.git"

    def login(self, token: str = TOKEN) -> Login:
        return Login(PersonalToken(token), self.url, self.host)

    def app_login(self) -> Login:
        return Login(AppKey(APP, self.private_key), self.url, self.host)

    @property
    def world(self) -> World:
        return dict(self.http.get("/stand-in").json())

    def knows(self, **parts: object) -> None:
        """Let it know, or forget, something."""
        self.http.patch("/stand-in", json=parts)

    def fails(self, operation: str, status: int, times: int = 1, **more: object) -> None:
        """Let the next requests that fit meet an error; `afterwards`: it does what it was asked."""
        fault = {"operation": operation, "status": status, "times": times, **more}
        self.knows(faults=[*self.world["faults"], fault])

    def heard(self) -> list[str]:
        return [str(each["operation"]) for each in self.world["heard"]]


def app_key() -> tuple[str, str]:
    """Return a private key of an App and its public half, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """Run it for as long as a block does."""
    private, public = app_key()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        process = _SPAWN.Process(target=serve, args=(listening, public), daemon=True)
        process.start()
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
        try:
            yield StandIn(url, private, http)
        finally:
            process.kill()
            process.join()
            process.close()
