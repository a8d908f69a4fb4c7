"""That an answer comes from whom it says: a one-time code, or a click that Slack has signed.

A click reaches the run as the receiver's word for it: a MAC over what was shown and what was said,
made with a key that only receiver and worker have. Each proof counts once.
"""

import hmac
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pyotp

from tasks.approval.model import Answer, Approver, Attempt, Click, Means, Request, Taken, Use

__all__ = ["Proof", "Subject", "is_locked", "prove", "vouch"]

STEP_SECONDS = 30
WINDOW = (0, -1, 1)
MOST_FAILURES = 5
LOCK = timedelta(minutes=15)
KEPT = 100
HEAD = "slack"
CLICKS_LIVE = timedelta(hours=1)
"""So long may Prefect be away; who used a click before that is remembered (see KEPT)."""
CLOCKS_DIFFER = timedelta(minutes=5)
_CODE = re.compile(rf"{HEAD}:([A-Z0-9]+):([0-9]{{1,11}}):[0-9a-f]{{64}}")


@dataclass(frozen=True, slots=True)
class Subject:
    """What an answer is bound to."""

    application: str
    environment: str
    release: str
    plan: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Why an answer proves nothing (empty if it does), and the approver afterwards."""

    fault: str
    approver: Approver
    means: Means


def vouch(about: Subject, answer: Answer, click: Click, key: bytes) -> str:
    """Return what proves a click to the run, in the place of a one-time code.

    Args:
        about: what was shown.
        answer: who said what; its code counts for nothing.
        click: whose, and when Slack signed it.
        key: that receiver and worker share.

    Source: HMAC with SHA-256, RFC 2104 and RFC 6234.
    """
    seconds = int(click.signed_at.timestamp())
    said = [
        *(about.application, about.environment, about.release, about.plan),
        *(answer.approver, answer.choice.value, answer.comment, seconds, click.user),
    ]
    mac = hmac.new(key, json.dumps(said).encode(), sha256).hexdigest()
    return f"{HEAD}:{click.user}:{seconds}:{mac}"


def prove(request: Request, answer: Answer, approver: Approver, key: bytes) -> Proof:
    """Say whether an answer proves that it is the approver's, and use the proof up if it does.

    The same answer to the same request proves the same again.

    Args:
        request: what is asked.
        answer: what was given, with its proof.
        approver: whom it names.
        key: for clicks in Slack; empty where nobody vouches for any.

    Source: TOTP with steps of 30 s and one step of tolerance to both sides, RFC 6238, chapter 5.2.
    """
    if answer.code.startswith(f"{HEAD}:"):
        fault, after = _prove_click(request, answer, approver, key)
        return Proof(fault, after, Means.SLACK)
    fault, after = _prove_code(request, answer, approver)
    return Proof(fault, after, Means.TOTP)


def is_locked(approver: Approver, attempt: Attempt) -> bool:
    """Whether wrong codes of others than this attempt lock the approver at its instant.

    Failures after it count too: answers to several requests are not judged in their order.
    """
    near = [one for one in approver.failures if one != attempt and abs(one.at - attempt.at) < LOCK]
    return len(near) >= MOST_FAILURES


def _prove_code(request: Request, answer: Answer, approver: Approver) -> tuple[str, Approver]:
    attempt = _attempt(request, answer)
    counter = _counter(answer, approver)
    use = next((one for one in approver.used if one.counter == counter), None)
    if use is not None and use.attempt == attempt:
        return "", approver
    if is_locked(approver, attempt):
        return f"{approver.name} is locked for 15 minutes after 5 wrong codes", approver
    if counter is None:
        return f"wrong code of {approver.name}", _with_failure(approver, attempt)
    if use is not None:
        return f"this code of {approver.name} was used already, wait for the next", approver
    used = (*approver.used, Use(counter, attempt))[-KEPT:]
    return "", replace(approver, used=used)


def _prove_click(
    request: Request, answer: Answer, approver: Approver, key: bytes
) -> tuple[str, Approver]:
    """Wrong ones do not lock: nobody guesses 256 bits, and whoever tried could lock others out."""
    click = _click(answer.code)
    if click is None or not key:
        return "nothing vouches for this answer from Slack", approver
    expected = vouch(_subject(request), answer, click, key).encode()
    if not hmac.compare_digest(expected, answer.code.encode("utf-8", "replace")):
        return "this answer from Slack was not given to what is asked here", approver
    if not approver.slack or click.user != approver.slack:
        return f"Slack's user {click.user} is not {approver.name}", approver
    if not -CLOCKS_DIFFER <= answer.answered_at - click.signed_at <= CLICKS_LIVE:
        return "this answer from Slack is older than an hour, give it again", approver
    attempt = _attempt(request, answer)
    use = next((one for one in approver.clicks if one.code == answer.code), None)
    if use is None:
        clicks = (*approver.clicks, Taken(answer.code, attempt))[-KEPT:]
        return "", replace(approver, clicks=clicks)
    counted = use.attempt == attempt
    return "" if counted else "this answer from Slack was used already", approver


def _click(code: str) -> Click | None:
    """Read what a code says of itself; nothing of that is proved yet."""
    found = _CODE.fullmatch(code)
    return Click(found[1], datetime.fromtimestamp(int(found[2]), UTC)) if found else None


def _attempt(request: Request, answer: Answer) -> Attempt:
    about = _subject(request)
    of = f"{about.application}/{about.environment}/{about.release}/{about.plan}"
    return Attempt(answer.answered_at, of)


def _subject(request: Request) -> Subject:
    return Subject(request.application, request.environment, request.release, request.plan)


def _counter(answer: Answer, approver: Approver) -> int | None:
    """The number of the step whose code was given, within the window."""
    code = "".join(answer.code.split())
    now = int(answer.answered_at.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(approver.secret)
    for shift in WINDOW:
        expected = totp.generate_otp(now + shift)
        if hmac.compare_digest(expected.encode(), code.encode("utf-8", "replace")):
            return now + shift
    return None


def _with_failure(approver: Approver, attempt: Attempt) -> Approver:
    if attempt in approver.failures:
        return approver
    return replace(approver, failures=(*approver.failures, attempt)[-KEPT:])
