"""Each panel shows something: a real Prometheus answers each query, from an hour of pages of our own code."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_render import CHART, named, program, render
from exported_pages import Pages

STEP_S, STEPS = 30, 120
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((CHART / "dashboards").glob("*.json"))}
VARIABLES = {"$__rate_interval": "5m", "$namespace": "retail", "$endpoint": "chat"}
_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")


def openmetrics(path: Path, end_s: int) -> None:
    """Write an hour of pages up to a time, with their labels as the chart's PodMonitors put them."""
    pages = Pages()
    with path.open("w") as out:
        for step in range(STEPS + 1):
            at_s = end_s - (STEPS - step) * STEP_S
            for text, job, labels in pages.pass_time(at_s * 1_000):
                added = ",".join(f'{name}="{value}"' for name, value in {**labels, "job": job, "pod": job}.items())
                for line in (*text.splitlines(), "up 1", "process_resident_memory_bytes 1e8"):
                    if found := _SAMPLE.match(line):
                        name, inner, value = found.groups()
                        out.write(f"{name}{{{f'{inner},' if inner else ''}{added}}} {value} {at_s}\n")
        out.write("# EOF\n")
    pages.close()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has the hour, and evaluates the chart's rules over it."""
    home, end_s = tmp_path_factory.mktemp("dashboards"), int(time.time())
    openmetrics(home / "pages.om", end_s)
    made = [
        program("promtool"),
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        str(home / "pages.om"),
        str(home / "tsdb"),
    ]
    subprocess.run(made, check=True, capture_output=True, timeout=120)
    rules = named(render({"monitoring": {"prometheusRule": {"enabled": True}}}), "PrometheusRule", "modelward")["spec"]
    (home / "rules.yaml").write_text(yaml.safe_dump(rules))
    settings = {"global": {"evaluation_interval": "1s"}, "rule_files": [str(home / "rules.yaml")]}
    (home / "prometheus.yml").write_text(yaml.safe_dump(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/tsdb"]
    command = [program("prometheus"), *arguments, f"--web.listen-address=127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    with (home / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_for_alerts(url, process)
            yield url
        finally:
            process.terminate()


def wait_for_alerts(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        try:
            if answer(url, 'ALERTS{alertstate="firing"}'):
                return
        except OSError:
            pass
        time.sleep(0.2)
    pytest.fail(f"no alert of the chart's rules fires at {url}")


def answer(url: str, query: str) -> list[dict[str, Any]]:
    body = urllib.parse.urlencode({"query": query}).encode()
    with urllib.request.urlopen(f"{url}/api/v1/query", data=body, timeout=30) as reply:
        found: list[dict[str, Any]] = json.load(reply)["data"]["result"]
    return found


def queries() -> list[tuple[str, str]]:
    return [
        (f"{name}: {panel['title']} ({target['refId']})", target["expr"])
        for name, board in DASHBOARDS.items()
        for panel in board["panels"]
        for target in panel.get("targets", [])
    ]


def test_no_panel_is_empty(prometheus: str) -> None:
    empty = {}
    for place, expression in queries():
        query = expression
        for variable, value in VARIABLES.items():
            query = query.replace(variable, value)
        found = answer(prometheus, query)
        numbers = [float(one["value"][1]) for one in found]
        if not numbers or all(number != number for number in numbers):
            empty[place] = query
    assert not empty
    assert len(queries()) > 60


def test_the_six_dashboards_are_there_and_lead_to_each_other() -> None:
    assert {"fleet", "endpoint", "cost", "alerts", "evaluators"} <= DASHBOARDS.keys()
    assert all(board["links"][0]["tags"] == ["modelward"] for board in DASHBOARDS.values())
    assert all("modelward" in board["tags"] for board in DASHBOARDS.values())


def test_costs_on_the_page_of_callers_are_those_of_the_endpoint(prometheus: str) -> None:
    """The two ways of counting agree: by collectors for each caller, by the operator for the endpoint."""
    of_callers = answer(prometheus, 'sum(increase(modelward_caller_cost_total{namespace="retail"}[50m]))')
    of_endpoint = answer(prometheus, 'sum(increase(modelward_cost_total{namespace="retail"}[50m]))')
    assert float(of_callers[0]["value"][1]) == pytest.approx(float(of_endpoint[0]["value"][1]), rel=0.01)
