"""What the API server's answers mean."""

import contextlib
import json
from collections.abc import Iterator

from tasks.core.cluster import Answer, FieldConflict
from tasks.core.errors import ConfigError, Conflict, Unavailable
from tasks.core.objects import Object

__all__ = [
    "BAD_REQUEST",
    "CONFLICT",
    "HTTP_ERROR",
    "NOT_FOUND",
    "SERVER_FAULT",
    "answer",
    "checked",
    "conflicts",
    "document",
]

HTTP_ERROR, SERVER_FAULT = 400, 500
BAD_REQUEST, UNAUTHORISED, FORBIDDEN, NOT_FOUND = 400, 401, 403, 404
CONFLICT, GONE, TOO_MANY = 409, 410, 429


def checked(status: int, body: Object, where: str) -> Object:
    """Return an answer's body, or raise the class of error that its status stands for."""
    if status < HTTP_ERROR:
        return body
    message = str(body.get("message") or f"HTTP {status}")
    match status:
        case _ if status == CONFLICT:
            raise Conflict(message, where, "run the same command again")
        case _ if status in (UNAUTHORISED, FORBIDDEN):
            raise ConfigError(message, where, "give this context's user the permission")
        case _ if status in (GONE, TOO_MANY) or status >= SERVER_FAULT:
            advice = "try again; where it stays, correct what the message names"
            raise Unavailable(message, where, advice)
    raise ConfigError(message, where, "correct the manifest; the cluster refuses it as it is")


def document(data: bytes) -> Object:
    """Read an answer; a proxy or an unknown path answers in plain text."""
    try:
        document = json.loads(data or b"{}")
    except ValueError:
        return {"message": data.decode(errors="replace").strip()}
    return document if isinstance(document, dict) else {}


def answer(status: int, text: str, seconds: float) -> Answer:
    """Tell the pod's own answer from the API server's about not reaching the pod."""
    if status in (UNAUTHORISED, FORBIDDEN) or status >= SERVER_FAULT:
        with contextlib.suppress(ValueError):
            body = json.loads(text)
            if isinstance(body, dict) and body.get("kind") == "Status" and "message" in body:
                return Answer(None, str(body["message"]), seconds)
    return Answer(status, text, seconds)


def conflicts(causes: list[Object]) -> Iterator[FieldConflict]:
    """Read who holds a field; the API server tells the manager's name only in its message."""
    for cause in causes:
        quoted = str(cause.get("message", "")).split('"')
        yield FieldConflict(cause.get("field", ""), quoted[1] if len(quoted) > 1 else quoted[0])
