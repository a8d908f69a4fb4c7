from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

import infra.monitoring

FOLDER = Path(infra.monitoring.__file__).parent
ALERTS = [
    rule
    for file in sorted((FOLDER / "rules").glob("*.yaml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_is_valid_and_says_what_how_bad_and_since_when(alert: dict[str, Any]) -> None:
    promql_parser.parse(alert["expr"])
    assert set(alert) == {"alert", "expr", "for", "labels", "annotations"}
    assert alert["labels"] in ({"severity": "critical"}, {"severity": "warning"})


def test_no_alert_names_an_application() -> None:
    assert not [alert["alert"] for alert in ALERTS if "myfin" in str(alert)]
