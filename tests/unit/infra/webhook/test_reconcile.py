"""What GitHub has in its own process, held against a store, until nothing is missing."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina

from infra.webhook.model import Push
from infra.webhook.reconcile import Kind, Reconciliation
from tasks.core.github import github
from tasks.core.github_login import Login
from tasks.core.triggers import Trigger
from tests.stand_ins.github import StandIn, fresh_world, standing_in
from tests.stand_ins.github_hooks import sent
from tests.unit.infra.webhook.world import ONE, TWO, World, push, repository

THREE = "3" * 40
MAIN, HOOK = "refs/heads/main", "/repos/acme/shop/hooks/7"
LOOK = timedelta(minutes=5)


@dataclass
class Hub:
    """GitHub, a receiver's store, and somebody who looks from one at the other."""

    there: StandIn
    world: World
    login: Login

    def has(self, commit: str = ONE, ref: str = MAIN, **more: object) -> None:
        """Let a branch stand somewhere."""
        self.there.knows(branches={ref: commit}, **more)

    def sends(self, *deliveries: dict[str, Any], hook: str = HOOK) -> None:
        """Let GitHub have sent, the newest first, beside something that did come."""
        came = sent(99, "2026-01-01T00:00:30Z", "ping", {}, guid="d-ping", status_code=200)
        self.there.knows(hooks=[7], deliveries={hook: [*deliveries, came]})

    def looks(self, after: timedelta = LOOK) -> list[tuple[str, str]]:
        self.world.clock.wait(after)
        with github(self.login, timedelta(seconds=2)) as client:
            found = Reconciliation(self.world.store, client, self.world.clock.now()).look()
        self.world.courier.deliver()
        return [(each.kind.value, each.what) for each in found]

    @property
    def asked(self) -> list[int]:
        return list(self.there.world["asked_again"])

    def started(self) -> list[object]:
        return [start.parameters["revision"] for start in self.world.prefect.runs.values()]


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with standing_in() as found:
        yield found


@pytest.fixture(params=["a token", "an App"])
def hub(request: pytest.FixtureRequest, running: StandIn, tmp_path: Path) -> Iterator[Hub]:
    fresh = fresh_world("")
    del fresh["public_key"]
    running.knows(**fresh)
    stamina.set_testing(testing=True, attempts=2, cap=True)
    world = World(tmp_path)
    world.store.register(dataclasses.replace(repository(), address=running.address))
    login = running.login() if request.param == "a token" else running.app_login()
    with world.serving():
        world.send(b"{}", event="ping", delivery="d-ping")
        world.courier.deliver()
        yield Hub(running, world, login)
    world.store.close()
    stamina.set_testing(testing=False)


def failed(
    number: int, commit: str, at: str = "2026-01-01T00:06:00Z", **more: str | bool
) -> dict[str, Any]:
    return sent(number, at, "push", push(commit), **more)


def hook_of(hub: Hub) -> str:
    return HOOK if hub.login == hub.there.login() else "/app/hook"


def test_the_first_look_starts_nothing_however_old_the_head_is(hub: Hub) -> None:
    hub.has(ONE)
    assert hub.looks() == [("first", "what is missed from now on is found")]
    assert hub.looks() == []
    assert hub.started() == []


def test_a_head_that_nobody_told_of_is_delivered_once(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.has(TWO, messages={TWO: "Sell even more"})
    assert hub.looks() == [("found", f"{MAIN} {TWO}")]
    assert hub.looks() == []
    assert hub.started() == [TWO]
    kept = hub.world.store.newest(1)[0]
    assert isinstance(kept.event.facts, Push)
    assert kept.event.facts.message == "Sell even more"


def test_the_words_that_skip_a_commit_count_when_it_is_found_too(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.has(TWO, messages={TWO: "Words [skip ci]"})
    hub.looks()
    assert hub.world.states()[-1] == ("ignored", "the commit's message says [skip ci]")


def test_a_push_that_comes_after_it_was_found_is_the_same(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.has(TWO)
    hub.looks()
    late = push(TWO)
    late["repository"]["pushed_at"] = int(hub.world.clock.now().timestamp()) - 60
    assert hub.world.send(late, delivery="d-late").status_code == 202
    hub.world.courier.deliver()
    assert hub.world.states()[-1] == ("ignored", "event 2 was this push already")
    assert hub.started() == [TWO]


def test_a_branch_that_is_set_to_a_found_commit_again_is_delivered_again(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.has(TWO)
    hub.looks()
    for number, commit in enumerate((ONE, TWO)):
        again = push(commit)
        again["repository"]["pushed_at"] = int(hub.world.clock.now().timestamp()) + 60 + number
        hub.world.send(again, delivery=f"d-{number}")
    hub.world.courier.deliver()
    assert hub.started() == [TWO, ONE, TWO]
    hub.has(TWO)
    assert hub.looks() == []


def test_a_push_that_may_be_on_its_way_is_waited_for(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.has(TWO, pushed_at="2026-01-01T00:09:00Z")
    assert hub.looks() == [("young", f"{MAIN} {TWO}")]
    assert hub.started() == []
    assert hub.looks() == [("found", f"{MAIN} {TWO}")]


def test_what_failed_is_asked_for_again_three_times_and_then_found(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.has(TWO)
    tries = [failed(1, TWO)]
    for number in (2, 3, 4):
        hub.sends(*tries, hook=hook_of(hub))
        assert hub.looks() == [
            ("asked", f"push {MAIN} of 2026-01-01 00:06"),
            ("young", f"{MAIN} {TWO}"),
        ]
        at = f"{hub.world.clock.now() + timedelta(seconds=5):%Y-%m-%dT%H:%M:%SZ}"
        tries.insert(0, failed(number, TWO, at, guid="guid-1", redelivery=True))
    hub.sends(*tries, hook=hook_of(hub))
    assert hub.looks() == [("found", f"{MAIN} {TWO}")]
    assert hub.asked == [1, 1, 1]
    assert hub.started() == [TWO]


def test_what_comes_when_it_was_asked_for_is_not_asked_for_again(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.has(TWO)
    hub.sends(failed(1, TWO), hook=hook_of(hub))
    hub.looks()
    hub.world.send(push(TWO), delivery="guid-1")
    assert hub.looks() == []
    assert (hub.asked, hub.started()) == ([1], [TWO])


def test_an_old_push_does_not_overtake_a_newer_one(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.has(THREE)
    hub.sends(failed(2, THREE, "2026-01-01T00:06:10Z"), failed(1, TWO), hook=hook_of(hub))
    assert hub.looks()[0] == (
        "left",
        f"push {MAIN} of 2026-01-01 00:06: something newer has taken its place",
    )
    assert hub.asked == [2]


def test_a_hook_that_leads_elsewhere_is_let_be(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    tag = sent(1, "2026-01-01T00:06:00Z", "push", push(TWO, "refs/tags/v1"))
    hub.there.knows(hooks=[7], deliveries={hook_of(hub): [tag]})
    assert hub.looks() == []
    assert hub.asked == []


def test_a_hook_that_was_ours_is_ours_however_long_it_was_silent(hub: Hub) -> None:
    hub.has(ONE)
    hub.sends(hook=hook_of(hub))
    hub.looks()
    hub.looks()
    hub.looks(timedelta(days=30))
    at = f"{hub.world.clock.now() + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    rules = {"action": "published", "release": {"id": 7, "tag_name": "v1"}}
    release = {**rules, "repository": push()["repository"]}
    hub.there.knows(deliveries={hook_of(hub): [sent(1, at, "release", release)]})
    assert hub.looks() == [
        ("left", f"release refs/tags/v1 of {at[:10]} {at[11:16]}: no trigger fits the release v1")
    ]


def test_what_cannot_be_looked_at_is_looked_at_next_time(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.has(TWO)
    hub.there.fails("matching-refs", 502, times=2)
    ((kind, what),) = hub.looks()
    assert (kind, hub.started()) == ("failed", [])
    assert "GitHub" in what
    assert hub.looks() == [("found", f"{MAIN} {TWO}")]


def test_without_the_right_to_see_hooks_heads_are_still_compared(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.has(TWO)
    hub.there.fails("hook", 403)
    assert [kind for kind, _ in hub.looks()] == ["failed", "found"]


def test_branches_are_those_that_the_rules_name(hub: Hub) -> None:
    rules = (Trigger("push", branches=("release/*",), until="dev"), Trigger("push"))
    changed = dataclasses.replace(repository(*rules), address=hub.there.address)
    hub.world.store.register(changed)
    hub.has(ONE)
    hub.looks()
    others = dict.fromkeys(("refs/heads/topic", "refs/heads/main-2", "refs/heads/release/1/2"), TWO)
    hub.there.knows(branches={MAIN: ONE, "refs/heads/release/1": TWO, **others})
    assert hub.looks() == [("found", f"refs/heads/release/1 {TWO}")]


def test_other_rules_begin_from_what_is_there(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.there.knows(branches={MAIN: ONE, "refs/heads/next": TWO})
    rules = (Trigger("push", branches=("next",)),)
    changed = dataclasses.replace(repository(*rules), address=hub.there.address)
    hub.world.store.register(changed)
    assert hub.looks() == [("first", "what is missed from now on is found")]
    hub.world.store.register(changed)
    assert hub.looks() == [], "registered again, with the same rules"


def test_a_repository_that_is_elsewhere_is_not_looked_for(hub: Hub) -> None:
    hub.world.store.register(repository())
    assert hub.looks() == []
    assert hub.there.heard() == []


def test_a_look_that_dies_half_way_is_made_again_whole(hub: Hub) -> None:
    hub.has(ONE)
    hub.looks()
    hub.has(TWO)
    hub.there.fails("commits", 500, times=2)
    assert [kind for kind, _ in hub.looks()] == [Kind.FAILED.value]
    assert [kind for kind, _ in hub.looks()] == [Kind.FOUND.value]
    assert hub.started() == [TWO]
