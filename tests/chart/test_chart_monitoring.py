"""Alerts fire when they should; dashboards ask Prometheus what it can parse, about metrics that we export."""

import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_render import ALL_ON, CHART, REPOSITORY, named, of_kind, program, render

HERE = Path(__file__).parent
DASHBOARDS = sorted((CHART / "dashboards").glob("*.json"))
_OF_PROMETHEUS = {"up", "process_resident_memory_bytes"}
_METRIC = re.compile(r"\b([a-z_]+)\s*(?=\{)")
_SUFFIX = re.compile(r"_(bucket|sum|count|total)$")


def expressions() -> dict[str, str]:
    """Every query of every dashboard and alert, by where it stands."""
    found = {}
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                found[f"{path.stem}/{panel['title']}/{target['refId']}"] = target["expr"]
    for group in alerts()["groups"]:
        found.update({f"alert/{rule['alert']}": rule["expr"] for rule in group["rules"]})
    return found


@cache
def alerts() -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())
    return spec


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that scrapes nothing; it parses what Grafana would send."""
    home = tmp_path_factory.mktemp("prometheus")
    (home / "prometheus.yml").write_text("scrape_configs: []\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/tsdb"]
    command = [program("prometheus"), *arguments, f"--web.listen-address=127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    with (home / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_for(f"{url}/-/ready", process)
            yield url
        finally:
            process.terminate()


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"Prometheus does not get ready at {url}")


def test_the_rule_object_carries_the_alerts_unchanged() -> None:
    rule = named(render(ALL_ON), "PrometheusRule", "modelward")
    assert rule["spec"] == alerts()


def test_alerts_fire_when_they_should_and_not_before(tmp_path: Path) -> None:
    rules = tmp_path / "alerts.yaml"
    rules.write_text(yaml.safe_dump(alerts()))
    cases = tmp_path / "test.yaml"
    cases.write_text(f"rule_files: [{rules}]\n" + (HERE / "alerts.test.yaml").read_text())
    for command in (["check", "rules", str(rules)], ["test", "rules", str(cases)]):
        done = subprocess.run([program("promtool"), *command], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_says_what_and_what_it_means() -> None:
    for group in alerts()["groups"]:
        for rule in group["rules"]:
            assert rule["alert"].startswith("Modelward")
            assert rule["labels"]["severity"] in {"warning", "critical"}
            assert set(rule["annotations"]) == {"summary", "description"}


def test_prometheus_parses_every_query(prometheus: str) -> None:
    refused = {}
    for place, expression in expressions().items():
        query = re.sub(r"\$__rate_interval", "5m", expression)
        query = re.sub(r"\$[a-z]+", "x", query)
        body = urllib.parse.urlencode({"query": query}).encode()
        try:
            with urllib.request.urlopen(f"{prometheus}/api/v1/query", data=body, timeout=30) as answer:
                assert json.load(answer)["status"] == "success"
        except urllib.error.HTTPError as error:
            refused[place] = error.read().decode()
    assert not refused


def test_every_metric_that_is_asked_for_is_one_that_we_export() -> None:
    source = "\n".join(path.read_text() for path in (REPOSITORY / "src").rglob("*.py"))
    names = {name for text in expressions().values() for name in _METRIC.findall(text)} - _OF_PROMETHEUS
    assert len(names) > 20
    missing = {name for name in names if name not in source and f'"{_SUFFIX.sub("", name)}"' not in source}
    assert not missing


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_whole(path: Path) -> None:
    board = json.loads(path.read_text())
    assert board["uid"] == f"modelward-{path.stem}"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    variables = {variable["name"] for variable in board["templating"]["list"]} | {"__rate_interval"}
    for panel in board["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["description"], panel["title"]
        for target in panel["targets"]:
            assert set(re.findall(r"\$([a-z_]+)", target["expr"])) <= variables


def test_grafana_gets_the_dashboards_byte_for_byte() -> None:
    maps = [m for m in of_kind(render(ALL_ON), "ConfigMap") if "grafana_dashboard" in m["metadata"]["labels"]]
    files = {name: text for item in maps for name, text in item["data"].items()}
    assert {name: json.loads(text) for name, text in files.items()} == {
        f"modelward-{path.name}": json.loads(path.read_text()) for path in DASHBOARDS
    }


def test_collectors_are_scraped_by_their_port_wherever_they_stand() -> None:
    monitor = named(render(ALL_ON), "PodMonitor", "modelward-collector")["spec"]
    assert monitor["selector"] == {}
    assert monitor["namespaceSelector"] == {"any": True}
    assert [endpoint["portNumber"] for endpoint in monitor["podMetricsEndpoints"]] == [18081]
