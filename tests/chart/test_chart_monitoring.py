"""Alerts fire when they should; dashboards ask Prometheus what it can parse, about metrics that we export."""

import json
import re
import socket
import subprocess
import sys
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

from modelward.desired.rules.budget_rules import budget_groups
from modelward.desired.rules.check_rules import check_group
from modelward.desired.rules.rule import RuleScope

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
    for n, rule in enumerate(every_rule()):
        found[f"rule {n}/{rule.get('alert') or rule['record']}"] = rule["expr"]
    return found


@cache
def alerts(*, old_names: bool = True) -> dict[str, Any]:
    """The rules as Helm puts them into the cluster."""
    values = {"monitoring": {"prometheusRule": {"enabled": True, "oldNames": old_names}}}
    spec: dict[str, Any] = named(render(values), "PrometheusRule", "modelward")["spec"]
    return spec


def every_rule() -> list[dict[str, Any]]:
    groups = [*alerts()["groups"], *alerts(old_names=False)["groups"]]
    return [rule for group in groups for rule in group["rules"]]


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


def test_the_rule_object_carries_the_rules_of_the_code_unchanged() -> None:
    check = [sys.executable, str(REPOSITORY / "helm" / "sync-rules"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = {group["name"]: group for group in alerts(old_names=False)["groups"]}
    for group in (*budget_groups(RuleScope()), check_group(RuleScope())):
        assert written.pop(group["name"]) == group
    by_hand = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"]
    assert list(written.values()) == by_hand


def refuted(tmp_path: Path, cases: str, *groups: list[dict[str, Any]]) -> str:
    """Let promtool run cases over groups of rules, each list in a file of its own; return what it says against them."""
    files = []
    for n, each in enumerate(groups):
        files.append(tmp_path / f"rules{n}.yaml")
        files[-1].write_text(yaml.safe_dump({"groups": each}))
    test = tmp_path / "test.yaml"
    test.write_text(f"rule_files: {[str(file) for file in files]}\n" + (HERE / cases).read_text())
    for command in (["check", "rules", *map(str, files)], ["test", "rules", str(test)]):
        done = subprocess.run([program("promtool"), *command], capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            return done.stdout + done.stderr
    return ""


def test_alerts_fire_when_they_should_and_not_before(tmp_path: Path) -> None:
    assert refuted(tmp_path, "alerts.test.yaml", alerts()["groups"]) == ""


@pytest.mark.parametrize("cases", ["budgets.test.yaml", "slow_burn.test.yaml"])
def test_budgets_burn_and_checks_fail_as_they_should(tmp_path: Path, cases: str) -> None:
    assert refuted(tmp_path, cases, alerts(old_names=False)["groups"]) == ""


def test_a_policys_own_rules_alert_on_that_policy_and_on_nothing_twice(tmp_path: Path) -> None:
    mine = RuleScope("retail", "q")
    own = [*budget_groups(mine), check_group(mine)]
    assert refuted(tmp_path, "policy_rules.test.yaml", alerts(old_names=False)["groups"], own) == ""


def test_two_sets_of_rules_never_record_the_same_series() -> None:
    sets = (RuleScope(), RuleScope("retail", "q"))
    recorded = [{rule.get("record") for one in budget_groups(scope) for rule in one["rules"]} for scope in sets]
    assert recorded[0] & recorded[1] == {None}


def alert_names(*, old_names: bool) -> set[str]:
    groups = alerts(old_names=old_names)["groups"]
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


def test_old_names_stand_for_new_ones_and_never_beside_them() -> None:
    old, new = alert_names(old_names=True), alert_names(old_names=False)
    assert old - new == {"ModelwardAnswersUnhealthy", "ModelwardEndpointUnwatched"}
    assert new - old == {"ModelwardCheckFailed", "ModelwardUnwatched"}
    default = named(render({"monitoring": {"prometheusRule": {"enabled": True}}}), "PrometheusRule", "modelward")
    assert default["spec"] == alerts(), "the names of the last release stay for one release"


def test_every_alert_says_what_and_what_it_means() -> None:
    for rule in every_rule():
        if "alert" not in rule:
            continue
        assert rule["alert"].startswith("Modelward")
        assert rule["labels"]["severity"] in {"warning", "critical", "{{ $labels.severity | toLower }}"}
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
