"""A chain in which anything was changed is found to be changed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tasks.audit
from tasks.audit.decide import anchor_text, find_fault, link, read_anchor, read_entry, sha256
from tasks.audit.model import Act, Anchor, Deed, Kept, Proof, Subject

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
Chain = tuple[Kept, ...]

deeds = st.builds(
    Deed,
    key=st.text(min_size=1, max_size=8),
    act=st.sampled_from(Act),
    actor=st.text(max_size=8),
    proof=st.sampled_from(Proof),
    origin=st.text(max_size=8),
    about=st.builds(Subject, release=st.text(max_size=8), rollout=st.none() | st.integers(1, 9)),
    reason=st.text(max_size=8),
)


def chained(*done: Deed) -> Chain:
    chain: list[Kept] = []
    for number, deed in enumerate(done):
        at = NOON + timedelta(minutes=number)
        chain.append(link(deed, at, chain[-1] if chain else None))
    return tuple(chain)


def said(reason: str) -> Deed:
    return Deed(reason, Act.APPROVED, "ana", Proof.TOTP, "Prefect UI", reason=reason)


CHAIN = chained(said("one"), said("two"), said("three"))


def changed(kept: Kept, **fields: object) -> Kept:
    """Write other words over an entry, as somebody does who hashes it anew."""
    text = json.dumps({**json.loads(kept.text), **fields}, sort_keys=True, separators=(",", ":"))
    return Kept(kept.number, text, sha256(text))


def with_second(kept: Kept) -> Chain:
    return CHAIN[0], kept, CHAIN[2]


TAMPERED: dict[str, tuple[Chain, str]] = {
    "nothing there": ((), ""),
    "untouched": (CHAIN, ""),
    "untouched, in another order": (CHAIN[::-1], ""),
    "one taken out": ((CHAIN[0], CHAIN[2]), "entry 2 is missing"),
    "the first taken out": (CHAIN[1:], "entry 1 is missing"),
    "the text changed": (
        with_second(replace(CHAIN[1], text=CHAIN[1].text.replace("two", "2"))),
        "entry 2 was altered",
    ),
    "the hash changed": (with_second(replace(CHAIN[1], stated="0")), "entry 2 was altered"),
    "the text gone": (with_second(Kept(2, "", sha256(""))), "entry 2 was altered"),
    "changed and hashed anew": (
        with_second(changed(CHAIN[1], at="2026-06-01T12:00:30Z")),
        "entry 2 was altered: entry 3 was written behind another one",
    ),
    "copied to another number": ((*CHAIN, replace(CHAIN[2], number=4)), "entry 4 was altered"),
}


@pytest.mark.parametrize(("chain", "expected"), TAMPERED.values(), ids=TAMPERED.keys())
def test_the_first_entry_that_is_wrong_is_named(chain: Chain, expected: str) -> None:
    assert str(find_fault(chain) or "") == expected


ANCHORED: dict[str, tuple[Chain, Anchor, str]] = {
    "all there": (CHAIN, Anchor(2, CHAIN[1].stated, "rollout 7"), ""),
    "the newest taken away": (
        CHAIN[:2],
        Anchor(3, CHAIN[2].stated, "rollout 7"),
        "entry 3 is missing: rollout 7 refers to it",
    ),
    "written anew from there on": (
        chained(said("one"), said("other"), said("three")),
        Anchor(3, CHAIN[2].stated, "rollout 7"),
        "entry 3 was altered: rollout 7 refers to another one",
    ),
}


@pytest.mark.parametrize(("chain", "anchor", "expected"), ANCHORED.values(), ids=ANCHORED.keys())
def test_what_a_record_refers_to_has_to_be_there(
    chain: Chain, anchor: Anchor, expected: str
) -> None:
    assert str(find_fault(chain, (anchor,)) or "") == expected


def test_a_record_refers_to_an_entry_by_number_and_hash_or_to_none() -> None:
    assert read_anchor(anchor_text(CHAIN[2]), "it") == Anchor(3, CHAIN[2].stated, "it")
    assert read_anchor("", "it") is None


def _overwritten(kept: Kept, at: int, by: str) -> Kept:
    return replace(kept, text=f"{kept.text[:at]}{by}{kept.text[at + 1 :]}")


CHANGES: dict[str, Callable[[Chain, int, int], Chain]] = {
    "a character": lambda chain, one, at: tuple(
        _overwritten(kept, at % len(kept.text), "#") if number == one else kept
        for number, kept in enumerate(chain)
    ),
    "an entry hashed anew": lambda chain, one, at: tuple(
        changed(kept, at=f"2025-01-01T00:00:{at % 60:02}Z") if number == one else kept
        for number, kept in enumerate(chain)
    ),
    "an entry taken out": lambda chain, one, _: chain[:one] + chain[one + 1 :],
    "all behind an entry written anew": lambda chain, one, at: chained(
        *(
            replace(entry.deed, actor=f"{entry.deed.actor}{at}") if number == one else entry.deed
            for number, entry in enumerate(map(read_entry, chain))
            if entry is not None
        )
    ),
    "two entries exchanged": lambda chain, one, _: tuple(
        replace(chain[-1 - one], number=kept.number) if number == one else kept
        for number, kept in enumerate(chain)
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@given(done=st.lists(deeds, min_size=1, max_size=6), one=st.integers(0, 5), at=st.integers(0, 999))
def test_any_change_of_any_entry_is_found(
    change: Callable[[Chain, int, int], Chain], done: list[Deed], one: int, at: int
) -> None:
    chain = chained(*done)
    tampered = change(chain, one % len(chain), at)
    anchor = Anchor(len(chain), chain[-1].stated, "rollout 7")
    assert find_fault(chain, (anchor,)) is None
    assert (find_fault(tampered, (anchor,)) is None) == (tampered == chain)


@given(deed=deeds)
def test_an_entry_says_what_was_done(deed: Deed) -> None:
    entry = read_entry(link(deed, NOON, None))
    assert entry is not None
    assert (entry.number, entry.at, entry.deed) == (1, NOON, deed)


def test_what_somebody_typed_is_cut() -> None:
    entry = read_entry(link(replace(said("one"), reason="\ud800" * 9_000), NOON, None))
    assert entry is not None
    assert entry.deed.reason == "?" * 500


def test_the_package_exports_plain_names_that_exist() -> None:
    assert all(hasattr(tasks.audit, name) for name in tasks.audit.__all__)
