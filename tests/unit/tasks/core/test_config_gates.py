"""Approvals, groups, windows and freezes of a slipway.yaml."""

from pathlib import Path

import pytest

from tasks.core.config import check, load
from tasks.core.gates import Approval, Escalation

YAML = """\
application: shop
groups:
  release-managers: [maria, li]
  directors: [dora]
components:
  api: {context: api, image: {target: runtime}}
environments:
  prod:
    overlay: deploy
    namespace: shop-prod
    approval:
      approvers: [maria, "@release-managers"]
      count: 2
      remind: 4h
      escalate: {after: 12h, to: ["@directors"]}
    windows: [{from: "Mon 09:00", to: "Fri 16:00", tz: Europe/Lisbon}]
    freezes: [{from: "2026-12-20", to: "2027-01-03", tz: Europe/Lisbon, reason: holidays}]
    overriders: ["@directors"]
"""
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec: {template: {spec: {containers: [{name: api, image: "shop-api:1"}]}}}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository without a fault."""
    for folder in ("api", "deploy"):
        (tmp_path / folder).mkdir()
    (tmp_path / "api" / "Dockerfile").write_text("FROM node AS runtime\n")
    (tmp_path / "deploy" / "kustomization.yaml").write_text("resources: [api.yaml]\n")
    (tmp_path / "deploy" / "api.yaml").write_text(WORKLOAD)
    (tmp_path / "slipway.yaml").write_text(YAML)
    return tmp_path


def test_a_group_is_its_people_once_the_file_is_loaded_and_everybody_counts_once(
    repository: Path,
) -> None:
    prod = load(repository).environments["prod"]
    assert isinstance(prod.approval, Approval)
    assert prod.approval.approvers == ("maria", "li")
    assert prod.approval.escalate is not None
    assert prod.approval.escalate.to == ("dora",)
    assert prod.overriders == ("dora",)
    assert isinstance(prod.approval.escalate, Escalation)


FAULTS = {
    "a group that is not there": (
        ('"@release-managers"]', '"@release-manager"]'),
        (
            "12: environments.prod.approval.approvers[1]: @release-manager is no group. "
            "Next: write one of @directors, @release-managers"
        ),
    ),
    "one to escalate to that is not there": (
        ('to: ["@directors"]', 'to: ["@board"]'),
        (
            "15: environments.prod.approval.escalate.to[0]: @board is no group. "
            "Next: write one of @directors, @release-managers"
        ),
    ),
    "an overrider that is not there": (
        ('overriders: ["@directors"]', 'overriders: ["@board"]'),
        (
            "18: environments.prod.overriders[0]: @board is no group. "
            "Next: write one of @directors, @release-managers"
        ),
    ),
    "a group in a group": (
        ("directors: [dora]", 'directors: [dora, "@release-managers"]'),
        "4: groups.directors: names a group in a group. Next: name its people",
    ),
    "somebody who stands in a group twice": (
        ("[maria, li]", "[maria, li, li]"),
        "3: groups.release-managers: names li twice. Next: name everybody once",
    ),
    "more approvals than people in the groups": (
        ("count: 2", "count: 3"),
        (
            "13: environments.prod.approval.count: must be at most the number of "
            "approvers, 2, got 3. Next: name more approvers or ask for fewer approvals"
        ),
    ),
    "an escalation to those who are asked already": (
        ('to: ["@directors"]', "to: [li]"),
        (
            "15: environments.prod.approval.escalate.to: adds nobody to the approvers. "
            "Next: name somebody else, or remove it"
        ),
    ),
    "an escalation after the end": (
        ("after: 12h", "after: 24h"),
        (
            "15: environments.prod.approval.escalate.after: must be shorter than "
            "`expires`, 24h, got 24h. Next: write a shorter time, or a longer `expires`"
        ),
    ),
    "a reminder after the end": (
        ("remind: 4h", "remind: 2d"),
        (
            "14: environments.prod.approval.remind: must be shorter than `expires`, 24h, "
            "got 48h. Next: write a shorter time, or a longer `expires`"
        ),
    ),
    "a day that does not exist": (
        ('from: "2026-12-20"', 'from: "2026-11-31"'),
        (
            "17: environments.prod.freezes[0].from: 2026-11-31 is no day. "
            "Next: write year, month and day, such as 2026-12-24"
        ),
    ),
    "a day that nobody lives to see": (
        ('to: "2027-01-03"', 'to: "9999-12-31"'),
        (
            "17: environments.prod.freezes[0].to: 9999-12-31 is not in this millennium. "
            "Next: write a day that people wait for"
        ),
    ),
    "a freeze that ends before it begins": (
        ('to: "2027-01-03"', 'to: "2026-01-03"'),
        (
            "17: environments.prod.freezes[0].to: must be after 2026-12-20, got "
            "2026-01-03. Next: let it end later"
        ),
    ),
    "a freeze that begins on a day and ends every week": (
        ('to: "2027-01-03"', 'to: "Mon 08:00"'),
        (
            "17: environments.prod.freezes[0]: begins or ends every week, and not both. "
            "Next: write a weekday and a time twice, or a day twice"
        ),
    ),
    "a window on a day of the year": (
        ('from: "Mon 09:00"', 'from: "2026-12-20"'),
        (
            "16: environments.prod.windows[0].from: must be a weekday and a time such as "
            '`Fri 16:00`, got "2026-12-20". Next: slipway check --schema lists what may stand here'
        ),
    ),
    "windows that are frozen every week": (
        ('{from: "2026-12-20", to: "2027-01-03"', '{from: "Sun 20:00", to: "Sat 00:00"'),
        (
            "16: environments.prod.windows: lie inside freezes, so that nothing could "
            "ever be rolled out. Next: leave a gap"
        ),
    ),
}


@pytest.mark.parametrize(("edit", "expected"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_named_with_place_key_reason_and_remedy(
    repository: Path, edit: tuple[str, str], expected: str
) -> None:
    assert YAML.count(edit[0]) == 1
    (repository / "slipway.yaml").write_text(YAML.replace(*edit))
    assert [str(one) for one in check(repository)] == [f"slipway.yaml:{expected}"]


def test_overriders_of_nothing_are_a_fault(repository: Path) -> None:
    kept = [line for line in YAML.splitlines() if "windows:" not in line and "freezes" not in line]
    (repository / "slipway.yaml").write_text("\n".join(kept))
    assert [one.message for one in check(repository)] == ["have nothing to override"]


def test_without_groups_the_remedy_says_where_they_stand(repository: Path) -> None:
    kept = [
        line for line in YAML.splitlines() if not line.startswith(("groups", "  release", "  dir"))
    ]
    (repository / "slipway.yaml").write_text("\n".join(kept))
    assert {one.remedy for one in check(repository)} == {
        "add `groups:` at the top level of the file"
    }
