"""What slipway.yaml says is watched, in the lab's own Prometheus and Alertmanager."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml

from infra import monitoring
from infra.cli.monitoring import load_into_lab
from infra.examples import EXAMPLES
from infra.lab import alerting
from infra.lab import lifecycle as labs
from infra.lab.layout import current
from infra.lab.lifecycle import LabStatus
from infra.lab.rootfs import ROOTFS
from infra.lab.waiting import wait_until
from infra.monitoring.bundle import plain_files, rule_files
from infra.monitoring.dashboards import dashboards
from tasks.core import process
from tasks.core.application import Application
from tasks.core.clock import utc_now
from tasks.core.config import load
from tasks.core.errors import ConfigError
from tasks.core.monitoring import AlertRule
from tests.e2e.dora_situation import dora_situation

pytestmark = pytest.mark.e2e

SOON = timedelta(seconds=120)
NAME = f"watched-{uuid4().hex[:6]}"
"""Application and namespace of this run: what an earlier one left in Prometheus still burns."""
TOKEN = "open sesame"
MYFIN = load(EXAMPLES / "myfin")
WATCHED = replace(
    MYFIN,
    application=NAME,
    environments={"prod": replace(MYFIN.environments["prod"], namespace=NAME)},
)
METRICS = """\
# TYPE http_requests_total counter
http_requests_total{route="/api/v1/x",status="200"} $((i * 7))
http_requests_total{route="/api/v1/x",status="500"} $((i * 3))
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{route="/api/v1/x",le="0.5"} $((i * 8))
http_request_duration_seconds_bucket{route="/api/v1/x",le="1"} $((i * 9))
http_request_duration_seconds_bucket{route="/api/v1/x",le="+Inf"} $((i * 10))
http_request_duration_seconds_sum{route="/api/v1/x"} $((i * 4))
http_request_duration_seconds_count{route="/api/v1/x"} $((i * 10))
# TYPE database_connection_pool gauge
database_connection_pool{state="active"} 4
database_connection_pool{state="limit"} 10
"""
SERVE = f"""\
trap exit TERM
(i=1; while true; do cat > /www/draft <<END
{METRICS}
END
mv /www/draft /www/metrics; i=$((i + 1)); sleep 1; done) &
httpd -f -p 8080 -h /www & wait
"""
TRACK = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}}}
      annotations: {{prometheus.io/scrape: "true", prometheus.io/port: "8080"}}
    spec:
      terminationGracePeriodSeconds: 1
      volumes: [{{name: www, emptyDir: {{}}}}]
      containers:
        - name: app
          image: busybox:1.36
          command: [sh, -c, {command}]
          volumeMounts: [{{name: www, mountPath: /www}}]
          resources: {{requests: {{memory: 16Mi}}}}
"""
LAB_RULES = Path(monitoring.__file__).with_name("rules") / "applications.yaml"
RECORDED = re.compile(r'(slipway:[\w:]+)\{slo="(\w+)"\}')
RECORD = f"""\
apiVersion: v1
kind: Secret
metadata:
  name: slipway-rollout-1
  namespace: {NAME}
  labels:
    slipway.dev/record: rollout
    slipway.dev/application: {NAME}
    slipway.dev/release: r-0123456789ab
    slipway.dev/state: succeeded
    slipway.dev/bad: "true"
"""


@dataclass
class Listener:
    """What was sent to a server of the test's own on the host's end of the lab's link."""

    received: list[tuple[datetime, str, str, dict[str, Any]]] = field(default_factory=list)

    def firing(self, name: str) -> tuple[datetime, str, str, dict[str, Any]] | None:
        """Return when, where, with which authorization and in which message an alert came."""
        for message in self.received:
            for alert in message[3]["alerts"]:
                if (alert["labels"]["alertname"], alert["status"]) == (name, "firing"):
                    return message
        return None


@pytest.fixture(scope="module")
def listener(lab: LabStatus) -> Iterator[tuple[Listener, str]]:  # noqa: ARG001 its link is there
    heard = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said = self.headers["Authorization"]
            heard.received.append((utc_now(), self.path, said, json.loads(body)))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((current().host_address, 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield heard, f"http://{current().host_address}:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def watched(
    listener: tuple[Listener, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    """An application of which three requests in ten fail, and its canary, watched in the lab."""
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text(TOKEN)
    kubectl("create", "namespace", NAME)
    tracks = (
        TRACK.format(name=name, namespace=NAME, command=json.dumps(SERVE))
        for name in ("app", "app-canary")
    )
    kubectl("apply", "--filename=-", stdin="\n---\n".join((*tracks, RECORD)))
    load_into_lab(WATCHED, listener[1], token)
    yield WATCHED
    alerting.remove(current(), WATCHED.application)
    kubectl("delete", "namespace", NAME)


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    argv = [labs.target().kubectl, f"--kubeconfig={current().kubeconfig}", *arguments]
    return process.run(argv, timeout=SOON, options=process.Options(stdin=stdin)).stdout


def tool(name: str, *arguments: str) -> str:
    argv = [str(ROOTFS.path(current().cache) / "usr/bin" / name), *arguments]
    return process.run(argv, timeout=SOON).stdout


def ask(query: str) -> list[dict[str, Any]]:
    """Ask the lab's Prometheus, with Grafana's variables filled in, and return the series."""
    for name, value in {"namespace": NAME, "__range_s": "3600", "__range": "1h"}.items():
        query = re.sub(rf"\${name}\b", value, query)
    url, parameters = f"{current().prometheus}/api/v1/query", {"query": query}
    answer = httpx.get(url, params=parameters, trust_env=False, timeout=30)
    assert answer.is_success, f"{query}: {answer.text}"
    return list(answer.json()["data"]["result"])


def first_bad_answer() -> datetime:
    """Return when the first of the pods began to answer errors: as soon as it served at all."""
    pods = json.loads(kubectl("get", "pods", f"--namespace={NAME}", "--output=json"))["items"]
    began = (pod["status"]["containerStatuses"][0]["state"]["running"] for pod in pods)
    return min(datetime.fromisoformat(each["startedAt"]) for each in began)


def rules_of(application: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{current().prometheus}/api/v1/rules", trust_env=False).json()
    groups = answer["data"]["groups"]
    return [
        rule
        for group in groups
        if group["name"].startswith(f"{application}-prod-")
        for rule in group["rules"]
    ]


def test_every_rule_speaks_in_its_situation(lab: LabStatus, tmp_path: Path) -> None:  # noqa: ARG001
    for name, text in rule_files(MYFIN).items():
        (tmp_path / name).write_text(text)
    shutil.copy(LAB_RULES, tmp_path)
    for situations, rules in (
        ("rules.test.yaml", "myfin.prod.yaml"),
        ("applications.test.yaml", LAB_RULES.name),
    ):
        file = shutil.copy(Path(__file__).with_name(situations), tmp_path)
        assert "SUCCESS" in tool("promtool", "test", "rules", str(file))
        assert spoken(tmp_path / situations) == spoken_of(tmp_path / rules)


def spoken_of(rules: Path) -> set[tuple[str, str]]:
    """Return what is in a file of rules: each alert or series with the objective it is about."""
    groups = yaml.safe_load(rules.read_text())["groups"]
    return {
        (rule.get("alert") or rule["record"], rule.get("labels", {}).get("slo", ""))
        for group in groups
        for rule in group["rules"]
    }


def spoken(situations: Path) -> set[tuple[str, str]]:
    """Return which of them have a result in one of the situations, an alert by firing."""
    tests = yaml.safe_load(situations.read_text())["tests"]
    asked = [each for test in tests for each in test["promql_expr_test"] if each.get("exp_samples")]
    found = {series for each in asked for series in RECORDED.findall(each["expr"])}
    for each in asked:
        if 'alertstate="firing"' in each["expr"]:
            found |= {_alert(sample["labels"]) for sample in each["exp_samples"]}
    return found


def _alert(labels: str) -> tuple[str, str]:
    words = dict(re.findall(r'(\w+)="([^"]*)"', labels))
    return words["alertname"], words.get("slo", "")


def test_the_dora_page_counts_as_slipway_dora_does(lab: LabStatus, tmp_path: Path) -> None:  # noqa: ARG001
    (tmp_path / "dora.test.yaml").write_text(yaml.safe_dump(dora_situation()))
    assert "SUCCESS" in tool("promtool", "test", "rules", str(tmp_path / "dora.test.yaml"))


def test_the_tools_take_every_file(lab: LabStatus, tmp_path: Path) -> None:  # noqa: ARG001
    for name, text in plain_files(MYFIN).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    rules = sorted(map(str, (tmp_path / "rules").iterdir()))
    assert "SUCCESS" in tool("promtool", "check", "rules", *rules)
    assert "SUCCESS" in tool("amtool", "check-config", str(tmp_path / "alertmanager.yml"))


def test_a_missed_objective_reaches_the_receiver(
    watched: Application, listener: tuple[Listener, str]
) -> None:
    heard = listener[0]
    wait_until(lambda: heard.firing("ErrorBudgetBurnsFast") is not None, SOON, "the alert")
    found = heard.firing("ErrorBudgetBurnsFast")
    assert found is not None
    at, path, authorization, message = found
    [alert] = [
        each
        for each in message["alerts"]
        if each["labels"]["alertname"] == "ErrorBudgetBurnsFast"
        and each["labels"]["slo"] == "availability"
    ]
    since = {
        "the first bad answer": first_bad_answer(),
        "the alert": datetime.fromisoformat(alert["startsAt"]),
    }
    for name, began in since.items():
        seconds = (at - began).total_seconds()
        print(f"from {name} to the receiver: {seconds:.1f} s")  # noqa: T201 shown, not asserted
    assert (path, authorization) == ("/alertmanager", f"Bearer {TOKEN}")
    assert message["groupLabels"] == {"application": NAME, "environment": "prod"}
    assert alert["labels"] == {
        "alertname": "ErrorBudgetBurnsFast",
        "application": watched.application,
        "environment": "prod",
        "namespace": NAME,
        "slo": "availability",
        "severity": "critical",
    }
    assert "misses its objective of 99.5 %, 30% is bad" in alert["annotations"]["summary"]
    assert "slipway rollback prod" in alert["annotations"]["description"]


def test_every_panel_shows_something(watched: Application) -> None:
    pages = {name: json.loads(text) for name, text in dashboards(watched).items()}
    queries = {
        f"{name} {panel['title']} {target['legendFormat']}": target["expr"]
        for name, page in pages.items()
        for panel in page["panels"]
        for target in panel.get("targets") or []
    }
    assert len(queries) > len(pages)

    def silent() -> list[str]:
        return [name for name, query in queries.items() if not ask(query)]

    wait_until(lambda: not silent(), SOON, "every query to have a result", strict=False)
    assert silent() == []


def test_the_lab_finds_every_rule_healthy(watched: Application) -> None:
    def health() -> set[str]:
        return {rule["health"] for rule in rules_of(watched.application)}

    wait_until(lambda: health() == {"ok"}, SOON, "every rule to be evaluated", strict=False)
    assert [rule for rule in rules_of(watched.application) if rule["health"] != "ok"] == []


def test_a_query_that_prometheus_refuses_changes_nothing(watched: Application) -> None:
    """Its own parser is stricter than ours: functions are called with what they take."""
    before = [rule["name"] for rule in rules_of(watched.application)]
    wrong = replace(watched, alerts=(AlertRule("Wrong", "rate(up)", "never"),))
    with pytest.raises(ConfigError, match="promtool would not take it"):
        load_into_lab(wrong)
    assert [rule["name"] for rule in rules_of(watched.application)] == before


def test_loading_again_replaces_and_removing_leaves_nothing(watched: Application) -> None:
    fewer = replace(watched, application=f"{NAME}-too", alerts=watched.alerts[:1])
    load_into_lab(replace(fewer, alerts=watched.alerts))
    load_into_lab(fewer)
    own = [rule["name"] for rule in rules_of(f"{NAME}-too") if rule["type"] == "alerting"]
    assert own.count("HighErrorRate") == 1
    assert "HighLatency" not in own
    assert alerting.remove(current(), f"{NAME}-too")
    assert rules_of(f"{NAME}-too") == []
    assert not alerting.remove(current(), f"{NAME}-too")
    answer = httpx.get(f"{current().alertmanager}/api/v2/receivers", trust_env=False).json()
    names = {one["name"] for one in answer}
    assert (f"{NAME}-rollback" in names, f"{NAME}-too-rollback" in names) == (True, False)
