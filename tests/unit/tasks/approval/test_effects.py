import json
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest

import tasks.approval
from tasks.approval.approvers import Approvers, FileApprovers, MemoryApprovers
from tasks.approval.effects import answer, dismiss, enrol
from tasks.approval.model import Answer, Approver, Choice, Request, Ruling
from tasks.core.errors import ConfigError
from tasks.core.gates import Approval

NOON = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
REQUEST = Request(
    application="shop",
    environment="prod",
    release="r-0123456789ab",
    plan="p-1",
    author="Rui",
    author_email="rui@example.com",
    opened_at=NOON,
    rules=Approval(approvers=("ana",)),
)


@pytest.fixture(params=["a file", "memory"])
def approvers(request: pytest.FixtureRequest, tmp_path: Path) -> Approvers:
    """The port's adapter and its fake: the same tests hold for both."""
    in_file = FileApprovers(tmp_path / "state" / "approvers.json")
    return in_file if request.param == "a file" else MemoryApprovers()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "approvers.json"


def say(secret: str, at: datetime = NOON) -> Answer:
    return Answer("ana", pyotp.TOTP(secret).at(at), Choice.APPROVE, "", at)


def test_somebody_who_was_enrolled_approves_once(approvers: Approvers) -> None:
    secret = enrol("ana", ("ana@example.com",), approvers)
    first = answer(REQUEST, say(secret), (), approvers)
    again = answer(REQUEST, say(secret, NOON.replace(microsecond=1)), (), approvers)
    assert (first.ruling, again.ruling) == (Ruling.APPROVED, Ruling.REFUSED)


def test_wrong_codes_are_remembered_from_answer_to_answer(approvers: Approvers) -> None:
    secret = enrol("ana", ("ana@example.com",), approvers)
    wrong = [Answer("ana", "1", Choice.APPROVE, "", NOON.replace(second=n)) for n in range(5)]
    for one in wrong:
        answer(REQUEST, one, (), approvers)
    decision = answer(REQUEST, say(secret, NOON.replace(second=9)), (), approvers)
    assert decision.reason == "ana is locked for 15 minutes after 5 wrong codes"


def test_a_name_is_given_once_and_free_again_after_its_removal(approvers: Approvers) -> None:
    first = enrol("ana", ("ana@example.com",), approvers)
    with pytest.raises(ConfigError, match="is enrolled already"):
        enrol("ana", ("other@example.com",), approvers)
    dismiss("ana", approvers)
    with pytest.raises(ConfigError, match="is not enrolled"):
        dismiss("ana", approvers)
    assert enrol("ana", ("ana@example.com",), approvers) != first


def test_everybody_is_listed_by_name(approvers: Approvers) -> None:
    for name in ("eva", "ana"):
        enrol(name, (f"{name}@example.com",), approvers)
    assert [one.name for one in approvers.everybody()] == ["ana", "eva"]


def test_an_answer_of_nobody_leaves_nothing_behind(approvers: Approvers) -> None:
    decision = answer(REQUEST, say("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"), (), approvers)
    assert decision.ruling is Ruling.REFUSED
    assert approvers.everybody() == ()


UNUSABLE: dict[str, tuple[str, tuple[str, ...], str]] = {
    "no name": ("", ("a@example.com",), "is no name"),
    "a name with a line break": ("a\nb", ("a@example.com",), "is no name"),
    "a name of spaces around": (" ana", ("a@example.com",), "is no name"),
    "no address": ("ana", (), "has no e-mail address"),
    "an address without a host": ("ana", ("ana@",), "is no e-mail address"),
}


@pytest.mark.parametrize(("name", "emails", "fault"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_who_cannot_be_traced_is_not_enrolled(
    name: str, emails: tuple[str, ...], fault: str
) -> None:
    with pytest.raises(ConfigError, match=fault):
        enrol(name, emails, MemoryApprovers())


def test_the_file_is_its_owners_alone_and_replaced_as_a_whole(file: Path) -> None:
    enrol("ana", ("ana@example.com",), FileApprovers(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(one.name for one in file.parent.iterdir()) == [
        "approvers.json",
        "approvers.json.lock",
    ]


def test_a_file_that_others_can_read_is_refused(file: Path) -> None:
    enrol("ana", ("ana@example.com",), FileApprovers(file))
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="can be read by others"):
        FileApprovers(file).everybody()


DAMAGES: dict[str, Callable[[str], str]] = {
    "cut off": lambda text: text[: len(text) // 2],
    "empty": lambda _: "",
    "no list": lambda _: "{}",
    "no secret": lambda text: json.dumps([{"name": one["name"]} for one in json.loads(text)]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_an_error_and_stays_as_it_is(
    file: Path, damage: Callable[[str], str]
) -> None:
    enrol("ana", ("ana@example.com",), FileApprovers(file))
    file.write_text(damage(file.read_text()))
    before = file.read_text()
    with pytest.raises(ConfigError, match="is damaged"):
        enrol("eva", ("eva@example.com",), FileApprovers(file))
    assert file.read_text() == before


def test_one_code_for_many_requests_at_once_counts_for_one_of_them(file: Path) -> None:
    secret = enrol("ana", ("ana@example.com",), FileApprovers(file))
    rulings: list[Ruling] = []

    def approve(number: int) -> None:
        request = Request(
            "shop", "prod", "r-1", f"p-{number}", "Rui", "r@example.com", NOON, REQUEST.rules
        )
        rulings.append(answer(request, say(secret), (), FileApprovers(file)).ruling)

    threads = [threading.Thread(target=approve, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(rulings) == [Ruling.APPROVED, *[Ruling.REFUSED] * 7]


def test_nothing_shows_a_secret_or_a_code() -> None:
    approver = Approver("ana", ("ana@example.com",), "JBSWY3DPEHPK3PXP")
    shown = f"{approver!r} {say('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP')!r}"
    assert "JBSWY3DP" not in shown
    assert "code=" not in shown


def test_the_package_exports_plain_names_that_exist() -> None:
    assert all(hasattr(tasks.approval, name) for name in tasks.approval.__all__)
