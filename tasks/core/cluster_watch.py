"""Following objects through Kubernetes' watch: one stream a kind, one picture for the reader."""

import contextlib
import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import urllib3
from urllib3 import BaseHTTPResponse

from tasks.core.clock import Clock
from tasks.core.cluster import Scope
from tasks.core.errors import SlipwayError, Unavailable
from tasks.core.objects import Kind, Object, Ref, ref_of

__all__ = ["Streams", "follow"]

STREAM_SECONDS = 60
RECONNECT_AFTER = timedelta(seconds=1)
PATIENCE = 30
"""How many failed connections in a row are too many."""


class Streams(Protocol):
    """What following needs of an API server."""

    def page(self, kind: Kind, scope: Scope) -> tuple[list[Object], str]:
        """Return the objects of one kind and the version of that list."""
        ...

    def stream(self, kind: Kind, scope: Scope, version: str, seconds: int) -> BaseHTTPResponse:
        """Open the changes since a version."""
        ...


Picture = dict[Ref, Object]


@dataclass(frozen=True, slots=True)
class _News:
    """A change of one kind: the picture of it from now on, or why there is none."""

    kind: Kind
    picture: Picture
    error: SlipwayError | None = None


@dataclass(slots=True)
class _Follower:
    """Follows one kind on a thread of its own until it is stopped."""

    streams: Streams
    kind: Kind
    scope: Scope
    clock: Clock
    news: "queue.SimpleQueue[_News]"
    stopped: threading.Event = field(default_factory=threading.Event)
    response: BaseHTTPResponse | None = None
    thread: threading.Thread | None = None

    def start(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.stopped.set()
        if self.response is not None:
            with contextlib.suppress(Exception):  # it may be closed already
                self.response.shutdown()

    def join(self) -> None:
        if self.thread is not None:
            self.thread.join(timeout=5)

    def _run(self) -> None:
        failures = 0
        while not self.stopped.is_set():
            try:
                self._follow_once()
                failures = 0
            except Unavailable as error:
                failures += 1
                if failures > PATIENCE:
                    self.news.put(_News(self.kind, {}, error))
                    return
                self.stopped.wait(RECONNECT_AFTER.total_seconds())
            except SlipwayError as error:
                self.news.put(_News(self.kind, {}, error))
                return

    def _follow_once(self) -> None:
        objects, version = self.streams.page(self.kind, self.scope)
        picture = {ref_of(thing): thing for thing in objects}
        self.news.put(_News(self.kind, dict(picture)))
        while not self.stopped.is_set():
            self.response = self.streams.stream(self.kind, self.scope, version, STREAM_SECONDS)
            try:
                for line in _lines(self.response):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        return  # 410 Gone and its like: list again
                    version = event["object"]["metadata"]["resourceVersion"]
                    self._note(picture, event)
            except (urllib3.exceptions.HTTPError, ValueError, OSError) as error:
                if not self.stopped.is_set():
                    raise Unavailable(f"the watch broke off: {error}") from error
            finally:
                self.response.close()

    def _note(self, picture: Picture, event: Object) -> None:
        thing = event["object"]
        match event["type"]:
            case "ADDED" | "MODIFIED":
                picture[ref_of(thing)] = thing
            case "DELETED":
                picture.pop(ref_of(thing), None)
            case _:
                return
        self.news.put(_News(self.kind, dict(picture)))


def _lines(response: BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for chunk in response.stream():
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole


def follow(
    streams: Streams, scope: Scope, until: datetime, clock: Clock
) -> Iterator[tuple[Object, ...]]:
    """Yield the objects of a scope at once and after each change, until an instant.

    Raises:
        SlipwayError: what the API server said to the list or the watch.
    """
    news: queue.SimpleQueue[_News] = queue.SimpleQueue()
    followers = [_Follower(streams, kind, scope, clock, news) for kind in scope.kinds]
    for follower in followers:
        follower.start()
    try:
        yield from _pictures(news, len(followers), until, clock)
    finally:
        for follower in followers:
            follower.stop()
        for follower in followers:
            follower.join()


def _pictures(
    news: "queue.SimpleQueue[_News]", kinds: int, until: datetime, clock: Clock
) -> Iterator[tuple[Object, ...]]:
    pictures: dict[Kind, Picture] = {}
    over = clock.elapsed() + (until - clock.now())  # a jump of the wall clock ends no watch
    while (left := (over - clock.elapsed()).total_seconds()) > 0:
        try:
            batch = [news.get(timeout=left)]
        except queue.Empty:
            return
        with contextlib.suppress(queue.Empty):
            while True:
                batch.append(news.get_nowait())
        for item in batch:
            if item.error is not None:
                raise item.error
            pictures[item.kind] = item.picture
        if len(pictures) == kinds:
            yield tuple(thing for kind in sorted(pictures) for thing in pictures[kind].values())
