import base64
import gzip
import json
import threading
import traceback
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pyotp
import pytest

import tasks.approval
from tasks.approval.approvers import Approvers, Change, MemoryApprovers, SecretApprovers
from tasks.approval.effects import answer, dismiss, enrol, unlock
from tasks.approval.model import Answer, Approver, Attempt, Choice, Request, Ruling, Use
from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import ConfigError
from tasks.core.gates import Approval
from tasks.core.objects import Kind, Object, Ref

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


SECRET = Ref(Kind("v1", "Secret"), "slipway", "slipway-approvers")


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture(params=["a Secret", "memory"])
def approvers(request: pytest.FixtureRequest, cluster: FakeCluster) -> Approvers:
    """The port's adapter and its fake: the same tests hold for both."""
    return SecretApprovers(cluster) if request.param == "a Secret" else MemoryApprovers()


def say(secret: str, at: datetime = NOON) -> Answer:
    return Answer(
        "ana", pyotp.TOTP(secret).at(at), Choice.APPROVE, "", at, question=REQUEST.question
    )


def test_somebody_who_was_enrolled_approves_once(approvers: Approvers) -> None:
    secret = enrol("ana", ("ana@example.com",), approvers)
    first = answer(REQUEST, say(secret), (), approvers)
    again = answer(REQUEST, say(secret, NOON.replace(microsecond=1)), (), approvers)
    assert (first.ruling, again.ruling) == (Ruling.APPROVED, Ruling.REFUSED)


@pytest.mark.parametrize(
    ("name", "email", "shared"),
    [
        ("Ana", "else@example.com", "ana"),
        ("bo", "ANA@example.com", "ana@example.com"),
        ("bo", "7+ana@users.noreply.github.com", "ana"),
    ],
    ids=["a name in other letters", "an address", "a login of GitHub's"],
)
def test_nobody_is_enrolled_under_two_names(
    approvers: Approvers, name: str, email: str, shared: str
) -> None:
    enrol("ana", ("ana@example.com",), approvers)
    with pytest.raises(ConfigError, match=f"shares {shared} with ana, who is enrolled already"):
        enrol(name, (email,), approvers)
    assert [each.name for each in approvers.everybody()] == ["ana"]


def test_wrong_codes_are_remembered_from_answer_to_answer(approvers: Approvers) -> None:
    secret = enrol("ana", ("ana@example.com",), approvers)
    wrong = [replace(say(secret), code="1", answered_at=NOON.replace(second=n)) for n in range(5)]
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


def test_wrong_codes_are_forgotten_when_somebody_unlocks_and_used_ones_are_not(
    approvers: Approvers,
) -> None:
    secret = enrol("ana", ("ana@example.com",), approvers)
    right = say(secret)
    answer(REQUEST, right, (), approvers)
    for second in range(1, 6):
        wrong = replace(say(secret), code="1", answered_at=NOON.replace(second=second))
        answer(REQUEST, wrong, (), approvers)
    unlock("ana", approvers)
    again = answer(REQUEST, say(secret, NOON.replace(second=9)), (), approvers)
    assert again.reason == "this code of ana was used already, wait for the next"
    later = NOON.replace(minute=1)
    assert answer(REQUEST, say(secret, later), (), approvers).ruling is Ruling.APPROVED


def test_nobody_is_unlocked_who_is_not_enrolled(approvers: Approvers) -> None:
    with pytest.raises(ConfigError, match="is not enrolled"):
        unlock("ana", approvers)


def test_the_first_one_makes_the_namespace_and_the_secret(cluster: FakeCluster) -> None:
    secret = enrol("ana", ("ana@example.com",), SecretApprovers(cluster))
    assert cluster.writes == ["create Namespace/slipway", "create Secret/slipway-approvers"]
    assert secret not in json.dumps(cluster.objects[SECRET])
    assert cluster.objects[SECRET]["type"] == "slipway.dev/approvers.v1"


def kept(approver: Approver) -> Change[None]:
    return lambda _before: (approver, None)


def test_two_hundred_answers_each_of_fifty_people_fit_into_a_secret(cluster: FakeCluster) -> None:
    attempts = [Attempt(NOON.replace(microsecond=n * 997), f"shop/prod/r-{n}") for n in range(100)]
    used = tuple(Use(n, each) for n, each in enumerate(attempts))
    for number in range(50):
        full = Approver(f"p-{number}", ("p@example.com",), "S" * 32, used, tuple(attempts))
        SecretApprovers(cluster).change(full.name, kept(full))
    assert len(json.dumps(cluster.objects[SECRET])) < 1_000_000


def _packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode())).decode()


DAMAGES: dict[str, object] = {
    "no data": None,
    "another key": {"other": ""},
    "no base64": {"approvers": "é"},
    "not compressed": {"approvers": base64.b64encode(b"[]").decode()},
    "cut off": {"approvers": _packed("[]")[:12]},
    "no JSON": {"approvers": _packed("")},
    "no list": {"approvers": _packed("{}")},
    "no name": {"approvers": _packed('[{"secret": "JBSWY3DPEHPK3PXP"}]')},
}


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_secret_is_an_error_that_shows_nothing_and_stays_as_it_is(
    cluster: FakeCluster, content: object
) -> None:
    enrol("ana", ("ana@example.com",), SecretApprovers(cluster))
    cluster.objects[SECRET]["data"] = content
    with pytest.raises(ConfigError, match=r"slipway/Secret/slipway-approvers: is damaged") as told:
        enrol("eva", ("eva@example.com",), SecretApprovers(cluster))
    shown = "".join(traceback.format_exception(told.value))
    assert "JBSWY3DP" not in shown
    assert cluster.objects[SECRET]["data"] == content


@dataclass(slots=True)
class Crowded(FakeCluster):
    """Somebody else writes between our reading and our writing."""

    others: list[str] = field(default_factory=lambda: ["eva", "rui"])

    def replace(self, thing: Object) -> Object:
        self._crowd(thing)
        return FakeCluster.replace(self, thing)

    def create(self, thing: Object) -> Object:
        self._crowd(thing)
        return FakeCluster.create(self, thing)

    def _crowd(self, thing: Object) -> None:
        if thing["kind"] == "Secret" and self.others:
            name = self.others.pop()
            enrol(name, (f"{name}@example.com",), SecretApprovers(self))


def test_what_others_write_at_the_same_time_is_not_lost() -> None:
    approvers = SecretApprovers(Crowded())
    enrol("ana", ("ana@example.com",), approvers)
    assert [one.name for one in approvers.everybody()] == ["ana", "eva", "rui"]


def test_one_code_for_many_requests_at_once_counts_for_one_of_them(cluster: FakeCluster) -> None:
    secret = enrol("ana", ("ana@example.com",), SecretApprovers(cluster))
    rulings: list[Ruling] = []

    def approve(number: int) -> None:
        request = replace(REQUEST, plan=f"p-{number}")
        rulings.append(answer(request, say(secret), (), SecretApprovers(cluster)).ruling)

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
