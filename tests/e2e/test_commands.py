"""The real `slipway`, as people and scripts run it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from infra.cli import exits
from tasks.core.process import Completed
from tests.e2e.shop import PEOPLE

if TYPE_CHECKING:
    from tests.e2e.pipeline_world import Pipeline
    from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Delivered:
    """A release in dev that waits before prod, brought there by `slipway deliver --json`."""

    shop: "Shop"
    command: Completed

    @property
    def run(self) -> str:
        return str(json.loads(self.command.stdout)["id"])

    @property
    def folder(self) -> str:
        return str(self.shop.repository)


@pytest.fixture(scope="module")
def delivered(pipeline: "Pipeline") -> Iterator[Delivered]:
    with pipeline.shop() as shop:
        yield Delivered(shop, pipeline.slipway("deliver", str(shop.repository), "--json"))


def read(done: Completed, code: int = exits.OK) -> Any:  # noqa: ANN401 JSON
    assert done.code == code, done.stderr + done.stdout
    return json.loads(done.stdout)


def plain(done: Completed, code: int = exits.OK) -> str:
    assert done.code == code, done.stderr + done.stdout
    return done.stdout


def complaint(done: Completed, code: int) -> str:
    """Return the one line that a mistake is answered with."""
    assert done.code == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


class TestEveryday:
    def test_deliver_ends_well_where_a_person_is_asked(self, delivered: Delivered) -> None:
        view = read(delivered.command)
        assert view["state"] == "PAUSED"
        assert {"web: test", "web: scan", "dev: roll out"} <= {
            stage["name"] for stage in view["stages"]
        }

    def test_plan(self, pipeline: "Pipeline", delivered: Delivered) -> None:
        plan = read(pipeline.slipway("plan", "prod", "-a", delivered.folder, "--json"))
        assert plan["live"] is None
        there = [each["object"] for each in plan["changes"] if each["kind"] != "create"]
        assert there == [f"Namespace/{delivered.shop.name}-prod"], "made for the trail of a no"
        assert plan["id"] in plain(pipeline.slipway("plan", "prod", "-a", delivered.folder))

    def test_plan_says_what_the_first_environment_is_compared_with(
        self, pipeline: "Pipeline", delivered: Delivered
    ) -> None:
        shown = plain(pipeline.slipway("plan", "dev", "-a", delivered.folder))
        assert "no environment comes before dev" in shown

    def test_plan_of_a_release_that_is_known(
        self, pipeline: "Pipeline", delivered: Delivered
    ) -> None:
        live = read(pipeline.slipway("history", "dev", "-a", delivered.folder, "--json"))[0]
        words = ("plan", "prod", "-a", delivered.folder, "--release", live["release"]["id"])
        assert read(pipeline.slipway(*words, "--json"))["release"] == live["release"]["id"]
        unknown = pipeline.slipway("plan", "prod", "-a", delivered.folder, "--release", "r-0")
        assert "no record tells of r-0" in complaint(unknown, exits.USAGE)

    def test_status(self, pipeline: "Pipeline", delivered: Delivered) -> None:
        status = read(pipeline.slipway("status", "--json"))
        health = {part["name"]: part["health"] for part in status["parts"]}
        assert health == {
            "prefect-server": "up",
            "worker": "up",
            "lab": "up",
            "receiver": "up",
            "reports": "up",
            "keeper": "up",
        }
        assert delivered.run in {run["id"] for run in status["waiting"]}

    def test_check(self, pipeline: "Pipeline", delivered: Delivered) -> None:
        found = read(pipeline.slipway("check", delivered.folder, "--json"))
        assert (found["ok"], found["environments"]) == (True, ["dev", "prod"])

    def test_logs(self, pipeline: "Pipeline", delivered: Delivered) -> None:
        said = plain(pipeline.slipway("logs", delivered.run))
        assert f"dev/{delivered.shop.name}: rollout 1 (" in said

    def test_history(self, pipeline: "Pipeline", delivered: Delivered) -> None:
        (record,) = read(pipeline.slipway("history", "dev", "-a", delivered.folder, "--json"))
        assert (record["number"], record["state"]) == (1, "succeeded")
        assert read(pipeline.slipway("history", "prod", "-a", delivered.folder, "--json")) == []
        shown = plain(pipeline.slipway("history", "dev", "-a", delivered.folder))
        assert record["release"]["id"] in shown

    def test_show_tells_one_rollout_and_writes_its_page(
        self, pipeline: "Pipeline", delivered: Delivered, tmp_path: Path
    ) -> None:
        words = ("show", "dev", "1", "-a", delivered.folder)
        record = read(pipeline.slipway(*words, "--json"))
        assert (record["number"], record["bad"], record["cleared"]) == (1, False, False)
        assert record["report"].endswith(f"/{delivered.shop.name}/dev/1.html")
        kept = httpx.get(record["report"], trust_env=False, timeout=10)
        page = tmp_path / "report.html"
        plain(pipeline.slipway(*words, "--html", str(page)))
        assert page.read_text() == kept.text
        assert record["release"]["id"] in plain(pipeline.slipway(*words))

    def test_dora_counts_every_environment(
        self, pipeline: "Pipeline", delivered: Delivered
    ) -> None:
        found = read(pipeline.slipway("dora", "-a", delivered.folder, "--json"))
        counts = {each["environment"]: each["deployments"] for each in found["environments"]}
        assert counts == {"dev": 1, "prod": 0}
        assert "recovery time" in plain(pipeline.slipway("dora", "-a", delivered.folder))

    def test_an_answer_that_does_not_count(
        self, pipeline: "Pipeline", delivered: Delivered
    ) -> None:
        words = ("approve", delivered.run, "--as", PEOPLE[0])
        done = pipeline.slipway(*words, SLIPWAY_CODE="000000")
        assert done.code == exits.GATE, done.stdout + done.stderr
        assert f"wrong code of {PEOPLE[0]}" in done.stdout + done.stderr

    def test_reject(self, pipeline: "Pipeline", delivered: Delivered) -> None:
        form = pipeline.answer()
        words = ("approve", delivered.run, "--as", form["approver"], "--reject", "--json")
        view = read(pipeline.slipway(*words, SLIPWAY_CODE=form["code"]), exits.GATE)
        assert view["state"] == "FAILED"
        assert "said no" in view["message"]
        assert delivered.shop.history("prod") == ()

    def test_promote_brings_what_dev_has_through_the_same_gate_and_builds_nothing(
        self, pipeline: "Pipeline", delivered: Delivered
    ) -> None:
        words = ("promote", "prod", "--repository", delivered.folder, "--json")
        view = read(pipeline.slipway(*words))
        assert view["state"] == "PAUSED"
        stages = {each["name"] for each in view["stages"]}
        assert not stages & {"web: build", "web: test", "web: scan", "web: push"}
        assert "web: still pushed?" in stages
        form = pipeline.answer()
        words = ("approve", view["id"], "--as", form["approver"], "--json")
        view = read(pipeline.slipway(*words, SLIPWAY_CODE=form["code"]))
        assert view["state"] == "COMPLETED", view["message"]
        (record,), (live, *_) = map(delivered.shop.history, ("prod", "dev"))
        assert record.release == live.release
        assert record.approved_by == (form["approver"],)

    def test_rollback(self, pipeline: "Pipeline", delivered: Delivered) -> None:
        delivered.shop.given_greeting("Again")
        plain(pipeline.slipway("deliver", delivered.folder, "--until", "dev"))
        words = ("rollback", "dev", "-a", delivered.folder, "--reason", "they suffer", "--json")
        assert read(pipeline.slipway(*words))["state"] == "COMPLETED"
        newest = read(pipeline.slipway("history", "dev", "-a", delivered.folder, "--json"))[0]
        assert newest["restores"] == 1
        assert newest["reason"].startswith("they suffer; ")
        assert read(pipeline.slipway(*words), exits.GATE)["state"] == "FAILED"

    def test_a_rollback_without_prefect_and_without_slipway_yaml(
        self, pipeline: "Pipeline", delivered: Delivered, tmp_path: Path
    ) -> None:
        delivered.shop.given_greeting("Once more")
        plain(pipeline.slipway("deliver", delivered.folder, "--until", "dev"))
        place = delivered.shop.place("dev")
        words = ("rollback", "dev", "--namespace", place.namespace, "--reason", "they suffer")
        record = read(pipeline.slipway(*words, "--direct", "--json"))
        assert (record["state"], record["restores"]) == ("succeeded", 3)
        assert record["run"].startswith("direct-")

        nobody = {"SLIPWAY_STATE": str(tmp_path), "SLIPWAY_INSTANCE": "nobody"}
        target = ("--context", place.target.context, "--kubeconfig", place.target.kubeconfig)
        done = pipeline.slipway(*words, *target, **nobody)
        assert "Prefect's server does not answer; the rollback runs in this process" in done.stderr
        assert (done.code, "cannot go back" in done.stderr) == (exits.GATE, True), done.stderr


class TestMistakes:
    """One line that says what to do, and an exit status that scripts can tell apart."""

    @pytest.mark.parametrize(
        "words",
        [
            pytest.param(("plan",), id="plan"),
            pytest.param(("history",), id="history"),
            pytest.param(("rollback", "--reason", "x"), id="rollback"),
        ],
    )
    def test_an_environment_that_is_not_there(
        self, pipeline: "Pipeline", delivered: Delivered, words: tuple[str, ...]
    ) -> None:
        done = pipeline.slipway(*words, "nowhere", "-a", delivered.folder)
        assert "no environment 'nowhere'" in complaint(done, exits.USAGE)

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            pytest.param(("--until", "nowhere"), "no environment 'nowhere'", id="environment"),
            pytest.param(("--revision", "nowhere"), "nowhere", id="revision"),
        ],
    )
    def test_a_delivery_of_what_is_not_there(
        self,
        pipeline: "Pipeline",
        delivered: Delivered,
        words: tuple[str, ...],
        reason: str,
    ) -> None:
        done = pipeline.slipway("deliver", delivered.folder, *words)
        assert done.code in {exits.NO, exits.USAGE}
        assert reason in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr

    def test_a_folder_that_is_no_repository(self, pipeline: "Pipeline", tmp_path: Path) -> None:
        done = pipeline.slipway("deliver", str(tmp_path))
        assert done.code in {exits.NO, exits.USAGE}
        assert "is not a git repository" in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr

    def test_a_broken_slipway_yaml(self, pipeline: "Pipeline", tmp_path: Path) -> None:
        (tmp_path / "slipway.yaml").write_text("application: [\n")
        done = pipeline.slipway("history", "dev", "-a", str(tmp_path))
        assert "slipway.yaml" in complaint(done, exits.USAGE)
        checked = pipeline.slipway("check", str(tmp_path))
        assert checked.code == exits.NO
        assert "Traceback" not in checked.stdout + checked.stderr

    def test_no_target_was_ever_chosen(self, pipeline: "Pipeline", tmp_path: Path) -> None:
        done = pipeline.slipway("deliver", ".", SLIPWAY_STATE=str(tmp_path))
        assert "no cluster was named" in complaint(done, exits.USAGE)

    def test_prefect_is_down(self, pipeline: "Pipeline", tmp_path: Path) -> None:
        elsewhere = {"SLIPWAY_STATE": str(tmp_path), "SLIPWAY_INSTANCE": "nobody"}
        told = complaint(pipeline.slipway("logs", "any", **elsewhere), exits.UNAVAILABLE)
        assert "Prefect's server does not answer" in told
        assert pipeline.slipway("status", **elsewhere).code == exits.NO

    def test_a_run_that_is_not_there(self, pipeline: "Pipeline") -> None:
        done = pipeline.slipway("approve", "no-such-run", "--as", "demo", SLIPWAY_CODE="1")
        assert "no such run" in complaint(done, exits.USAGE)

    def test_a_command_that_is_not_there(self, pipeline: "Pipeline") -> None:
        done = pipeline.slipway("fly")
        assert done.code == exits.USAGE
        assert "Traceback" not in done.stderr
