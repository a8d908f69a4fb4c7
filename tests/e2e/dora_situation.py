"""Records as kube-state-metrics shows them, and what the DORA page has to make of them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.examples import EXAMPLES
from infra.monitoring.dashboards import dashboards
from tasks.core.config import load
from tasks.core.model import Release
from tasks.core.record import Record, RolloutState
from tasks.report.dora import Figures, Period, figures

__all__ = ["dora_situation"]

HOUR = timedelta(hours=1)
START = datetime(1970, 1, 1, tzinfo=UTC)
"""Where promtool's clock begins."""
NOW = START + 100 * HOUR
SHOWN = 90 * HOUR
RELEASE = Release("", "myfin", "c" * 40, "Dora", "dora@example.com", "Sell", START, (), ())


@dataclass(frozen=True, slots=True)
class _Rollout:
    hours: int
    release: str
    state: RolloutState = RolloutState.SUCCEEDED
    restores: int | None = None
    bad: bool = False

    def record(self, number: int) -> Record:
        began = START + self.hours * HOUR
        return Record(
            number=number,
            environment="prod",
            namespace="myfin-prod",
            release=replace(RELEASE, id=self.release, commit=self.release),
            state=self.state,
            reason="",
            started_at=began,
            finished_at=began + HOUR / 2,
            restores=self.restores,
        )


HISTORY = (
    _Rollout(2, "r-old"),
    _Rollout(20, "r-1"),
    _Rollout(30, "r-2", bad=True),
    _Rollout(31, "r-1", restores=2),
    _Rollout(40, "r-3", RolloutState.RESTORED, bad=True),
    _Rollout(45, "r-3"),
    _Rollout(50, "r-4", RolloutState.SUPERSEDED),
    _Rollout(60, "r-5", bad=True),
    _Rollout(61, "r-3", RolloutState.FAILED, restores=6),
    _Rollout(70, "r-6", RolloutState.FAILED),
    _Rollout(80, "r-7"),
)
"""A release taken back, one that was mended and came again, a rollback that failed, a failure."""


def dora_situation() -> dict[str, Any]:
    """Return a test for promtool: the page's numbers are those of `slipway dora`."""
    records = [each.record(number) for number, each in enumerate(HISTORY, 1)]
    counted = figures("prod", records, Period(NOW - SHOWN, NOW))
    series = [one for pair in zip(HISTORY, records, strict=True) for one in _series(*pair)]
    asked = [_asked(title, value) for title, value in _expected(counted).items()]
    test = {"interval": "1h", "input_series": series, "promql_expr_test": asked}
    return {"evaluation_interval": "1h", "tests": [{"name": "a history", **test}]}


def _expected(counted: Figures) -> dict[str, float]:
    days = SHOWN / timedelta(days=1)
    return {
        "Deployments a day": counted.deployments / days,
        "Change failure rate": counted.change_fail_rate or 0.0,
        "Rollbacks, of all rollouts": counted.rollbacks / (counted.ended + counted.rollbacks),
        "Since the last deployment": (NOW - (START + 80 * HOUR)).total_seconds(),
    }


def _series(rollout: _Rollout, record: Record) -> Iterator[dict[str, str]]:
    where = f'namespace="myfin-prod",secret="slipway-rollout-{record.number}"'
    labels = {
        "record": "rollout",
        "application": "myfin",
        "release": record.release.id,
        "state": record.state.value,
        "bad": str(rollout.bad).lower(),
    }
    named = ",".join(f'label_slipway_dev_{key}="{value}"' for key, value in labels.items())
    began = (record.started_at - START).total_seconds()
    yield {"series": f"kube_secret_created{{{where}}}", "values": f"{began:g}x200"}
    yield {"series": f"kube_secret_labels{{{where},{named}}}", "values": "1x200"}


def _asked(title: str, value: float) -> dict[str, Any]:
    page = json.loads(dashboards(load(EXAMPLES / "myfin"))["myfin-dora.json"])
    [panel] = [each for each in page["panels"] if each["title"] == title]
    query = panel["targets"][0]["expr"]
    for name, word in {
        "namespace": "myfin-prod",
        "__range_s": str(int(SHOWN.total_seconds())),
    }.items():
        query = re.sub(rf"\${name}\b", word, query)
    samples = [{"labels": "{}", "value": value}]
    return {"expr": query, "eval_time": "100h", "exp_samples": samples}
