"""The chain: how an entry hangs on the one before it, and where a chain is broken.

An entry's SHA-256 is that of its text, canonical JSON with the hash of the entry before it inside.
Who changes one entry has to write all later ones anew; an anchor outside the trail shows that too.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from tasks.audit.model import Anchor, Deed, Entry, Fault, Kept

__all__ = ["anchor_text", "bounded", "find_fault", "link", "read_anchor", "read_entry", "sha256"]

FIRST = "0" * 64
LONGEST = 500
"""Characters of a field: names and reasons come from forms."""

_ENTRY = TypeAdapter(Entry)


def link(deed: Deed, at: datetime, head: Kept | None) -> Kept:
    """Return the entry of a deed behind the newest one.

    What is behind a head that was tampered with hangs on the head as it is: a damaged trail still
    takes entries, and its fault stays to be found.
    """
    number, previous = (head.number + 1, sha256(head.text)) if head else (1, FIRST)
    text = _canonical(Entry(number, at, bounded(deed), previous))
    return Kept(number, text, sha256(text))


def bounded(deed: Deed) -> Deed:
    """Cut what somebody typed to what a reader needs, and leave out what JSON has no word for."""
    return replace(
        deed,
        actor=_cut(deed.actor),
        origin=_cut(deed.origin),
        reason=_cut(deed.reason),
        about=replace(deed.about, person=_cut(deed.about.person)),
    )


def _cut(text: str) -> str:
    return text[:LONGEST].encode("utf-8", "replace").decode()


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_entry(kept: Kept) -> Entry | None:
    """Return what an entry says, None where it cannot be read."""
    try:
        return _ENTRY.validate_json(kept.text)
    except ValidationError:
        return None


def find_fault(chain: Iterable[Kept], anchors: Iterable[Anchor] = ()) -> Fault | None:
    """Return the first entry that is broken, missing or altered; None where there is none.

    Args:
        chain: all entries, in any order.
        anchors: what others say about entries; without one, nothing shows that the newest
            entries were removed or written anew.
    """
    known = {each.number: each for each in chain}
    faults = (*_broken(known), *_unlike(known, anchors))
    return min(faults, key=lambda fault: fault.number, default=None)


def anchor_text(kept: Kept) -> str:
    """Return how a record refers to an entry: `42:` and its hash."""
    return f"{kept.number}:{sha256(kept.text)}"


def read_anchor(text: str, who: str) -> Anchor | None:
    """Read what `anchor_text` wrote; None where a record refers to nothing."""
    number, _, digest = text.partition(":")
    return Anchor(int(number), digest, who) if number.isdecimal() else None


def _broken(known: dict[int, Kept]) -> Iterable[Fault]:
    previous = FIRST
    for number in range(1, max(known, default=0) + 1):
        kept = known.get(number)
        if kept is None:
            yield Fault(number, "is missing")
            return
        entry = read_entry(kept)
        if sha256(kept.text) != kept.stated or entry is None or entry.number != number:
            yield Fault(number, "was altered")
            return
        if entry.previous != previous:
            first = max(1, number - 1)
            yield Fault(first, f"was altered: entry {number} was written behind another one")
            return
        previous = kept.stated


def _unlike(known: dict[int, Kept], anchors: Iterable[Anchor]) -> Iterable[Fault]:
    for anchor in anchors:
        kept = known.get(anchor.number)
        if kept is None:
            yield Fault(anchor.number, f"is missing: {anchor.who} refers to it")
        elif sha256(kept.text) != anchor.sha256:
            yield Fault(anchor.number, f"was altered: {anchor.who} refers to another one")


def _canonical(entry: Entry) -> str:
    """Write an entry in the one way in which it is hashed."""
    plain = _ENTRY.dump_python(entry, mode="json")
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))
