"""The receiver's doors: what is let in is stored before it is answered."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.webhook.alertmanager import read_alerts
from infra.webhook.courier import Courier
from infra.webhook.github import read_event
from infra.webhook.keys import Keys
from infra.webhook.limits import Allowance, Body, Intake, sender_of
from infra.webhook.metrics import Metrics
from infra.webhook.model import Event, Refused
from infra.webhook.signature import could_sign, is_bearer, is_signed
from infra.webhook.slack import Headers
from infra.webhook.slack_door import SlackDoor
from infra.webhook.store import Store
from infra.webhook.writer import Writer
from tasks.core.clock import Clock, SystemClock

__all__ = ["CLIENT", "Receiver", "make_app"]

log = logging.getLogger(__name__)

Door = Callable[[Request], Awaitable[tuple[Event, ...]]]
CLIENT = "slipway.client"
"""Where a request's scope holds the client's certificate, which the clients' authority has signed.

No request can set it: headers are elsewhere in the scope.
"""
LARGE_BYTES = 128 * 1024
"""Bodies from here on are looked at in a thread, so that others do not wait for them."""


@dataclass(slots=True)
class Receiver:
    """What the doors share.

    Attributes:
        courier: takes stored events on to Prefect; None leaves them where they are.
        slack: lets answers from Slack in; None lets nobody.
    """

    store: Store
    keys: Keys
    token: str = field(repr=False)
    courier: Courier | None = None
    slack: SlackDoor | None = None
    clock: Clock = field(default_factory=SystemClock)
    metrics: Metrics = field(default_factory=Metrics)
    allowance: Allowance = field(default_factory=Allowance)
    intake: Intake = field(default_factory=Intake)
    body: Body = field(default_factory=Body)
    writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        """Let the courier know of each commit."""
        wake = self.courier.wake if self.courier else lambda: None
        self.writer = Writer(self.store, self.clock.now, wake)

    async def from_github(self, request: Request) -> tuple[Event, ...]:
        """Read a signed payload.

        Raises:
            Refused: it is not signed, or not a payload.
        """
        told = dict(reversed(request.headers.items()))  # what is said first counts
        if told.get("content-type", "").partition(";")[0] != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content type")
        header = told.get("x-hub-signature-256", "")
        if not could_sign(header):  # nothing is read of what nobody can have signed
            raise Refused(HTTPStatus.UNAUTHORIZED, "signature")
        body = await self.intake.read(request, self.body)
        name, delivery = told.get("x-github-event", ""), told.get("x-github-delivery", "")

        def read() -> Event:
            if not is_signed(body, header, self.keys.secrets()):
                raise Refused(HTTPStatus.UNAUTHORIZED, "signature")
            return read_event(name, delivery, body)

        return (await asyncio.to_thread(read) if len(body) > LARGE_BYTES else read(),)

    async def from_alertmanager(self, request: Request) -> tuple[Event, ...]:
        """Read alerts.

        Raises:
            Refused: there is neither a certificate nor the right token, or it is no message of
                Alertmanager's.
        """
        given = request.headers.get("authorization", "")
        if CLIENT not in request.scope and not is_bearer(given, self.token):
            raise Refused(HTTPStatus.UNAUTHORIZED, "token")
        body = await self.intake.read(request, self.body)
        return await asyncio.to_thread(read_alerts, body, self.clock.now())

    async def from_slack(self, request: Request) -> tuple[Event, ...]:
        """Read what somebody did in Slack; what needs words first stores nothing.

        Raises:
            Refused: nobody has logged in to Slack here, it is not signed, too old, or no payload.
        """
        if self.slack is None:
            raise Refused(HTTPStatus.NOT_FOUND, "no login")
        names = ("content-type", "x-slack-request-timestamp", "x-slack-signature")
        headers = Headers(*(request.headers.get(name, "") for name in names))
        if not could_sign(headers.signature):
            raise Refused(HTTPStatus.UNAUTHORIZED, "signature")
        body = await self.intake.read(request, self.body)
        return await asyncio.to_thread(self.slack.read, body, headers, self.clock.now())

    async def receive(self, request: Request, door: Door) -> Response:
        """Store what a request brings and answer it: 202 for something new, 200 otherwise."""
        name = request.scope["path"].removeprefix("/")
        source = sender_of(request)
        began = asyncio.get_running_loop().time()
        try:
            self._admit(source, began)
            events = await door(request)
            new = await self.writer.add(events)
        except Refused as error:
            self.metrics.refused(name, error.reason)
            self.allowance.charge(source, asyncio.get_running_loop().time())
            # the rest of what it sends is not read
            return Response(status_code=error.status, headers={"connection": "close"})
        except sqlite3.Error:
            self.metrics.refused(name, "store")
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        for event, is_new in zip(events, new, strict=True):
            self.metrics.stored(event, new=is_new)
        self.metrics.answered(name, asyncio.get_running_loop().time() - began)
        return Response(status_code=HTTPStatus.ACCEPTED if any(new) else HTTPStatus.OK)

    async def answer_slack(self, request: Request) -> Response:
        """Store what Slack brings; it knows no other word of thanks than 200."""
        answer = await self.receive(request, self.from_slack)
        return Response() if answer.status_code == HTTPStatus.ACCEPTED else answer

    def _admit(self, source: str, now: float) -> None:
        if not self.allowance.admits(source, now):
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "rate")

    async def ready(self) -> bool:
        """Say whether what comes now would be stored, and taken on."""
        try:
            await asyncio.to_thread(self.store.lag)
        except sqlite3.Error:
            return False
        return self.courier is None or self.courier.alive


@dataclass(frozen=True, slots=True)
class App:
    """A receiver's ASGI application.

    What is posted to a door goes straight to it: Starlette's layers would take a third of the time
    that a push takes.
    """

    doors: Mapping[str, Callable[[Request], Awaitable[Response]]]
    beside: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_posted = scope["type"] == "http" and scope["method"] == "POST"
        door = self.doors.get(scope["path"]) if is_posted else None
        if door is None:
            await self.beside(scope, receive, send)
        else:
            answer = await door(Request(scope, receive))
            await answer(scope, receive, send)


def make_app(receiver: Receiver) -> App:
    """Return the ASGI application of a receiver."""

    async def github(request: Request) -> Response:
        return await receiver.receive(request, receiver.from_github)

    async def alertmanager(request: Request) -> Response:
        return await receiver.receive(request, receiver.from_alertmanager)

    doors = {"/github": github, "/alertmanager": alertmanager, "/slack": receiver.answer_slack}
    return App(doors, _beside(receiver))


def _beside(receiver: Receiver) -> Starlette:
    """Return what answers everything else, and begins and ends the receiver's work."""

    async def healthz(_request: Request) -> Response:
        return Response("ok\n")

    async def readyz(_request: Request) -> Response:
        ready = await receiver.ready()
        return Response(status_code=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def metrics(_request: Request) -> Response:
        lag = await asyncio.to_thread(receiver.store.lag)
        text = receiver.metrics.text(lag, receiver.clock.now())
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def nothing(_request: Request, _error: Exception) -> Response:
        return Response(status_code=HTTPStatus.NOT_FOUND)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        writing = asyncio.create_task(receiver.writer.run())
        if receiver.courier:
            receiver.courier.begin()
        yield
        if receiver.courier:
            await asyncio.to_thread(receiver.courier.end)
        writing.cancel()

    app = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ],
        exception_handlers={404: nothing, 405: nothing},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app
