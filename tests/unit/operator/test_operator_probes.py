"""Probes say what is wrong, metrics have the names that people alert on, and a log record is one line."""

import json
import logging
import math
import sys

import aiohttp

from modelward.operator.runtime.probes import application, serving
from modelward.operator.runtime.telemetry import JsonFormatter, Telemetry, TextFormatter
from modelward.operator.runtime.work_queue import Lane


async def fetch(address: str, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}{path}") as response:
        return response.status, await response.text()


async def test_probes_name_what_is_wrong() -> None:
    problems: dict[str, str | None] = {"watch": None}
    app = application(Telemetry().registry, {"watch": lambda: problems["watch"]}, {"store": lambda: "not listed yet"})
    async with serving(app, "127.0.0.1:0") as address:
        assert await fetch(address, "/healthz") == (200, "ok\n")
        assert await fetch(address, "/readyz") == (503, "store: not listed yet\n")
        problems["watch"] = "silent"
        assert await fetch(address, "/healthz") == (503, "watch: silent\n")


async def test_probes_serve_the_metrics_of_the_process() -> None:
    telemetry = Telemetry()
    telemetry.observe_request("PATCH", "200")
    telemetry.observe_queue(Lane.SPEC, lambda: 3)
    telemetry.observe_workers(lambda: [1.5, 2.0])
    telemetry.observe_hints("Pod", lambda: None)
    async with serving(application(telemetry.registry, {}, {}), "127.0.0.1:0") as address:
        status, text = await fetch(address, "/metrics")
    assert status == 200
    assert 'rest_client_requests_total{code="200",method="PATCH"} 1.0' in text
    assert 'workqueue_depth{name="spec"} 3.0' in text
    assert "workqueue_longest_running_processor_seconds 2.0" in text
    assert "workqueue_unfinished_work_seconds 3.5" in text
    assert 'watch_last_event_age_seconds{kind="Pod"} NaN' in text
    assert "_created" not in text


def test_telemetry_ages_of_hints_are_read_when_scraped() -> None:
    telemetry, age = Telemetry(), 1.0
    telemetry.observe_hints("Pod", lambda: age)
    age = 2.0
    assert telemetry.registry.get_sample_value("watch_last_event_age_seconds", {"kind": "Pod"}) == 2.0
    telemetry.observe_hints("Job", lambda: None)
    assert math.isnan(telemetry.registry.get_sample_value("watch_last_event_age_seconds", {"kind": "Job"}) or 0.0)


def record(message: str, *args: object, failed: bool = False) -> logging.LogRecord:
    made = logging.LogRecord("modelward.x", logging.INFO, __file__, 1, message, args, None)
    made.created = 1_800_000_000.25
    if failed:
        try:
            raise ValueError("odd")
        except ValueError:
            made.exc_info = sys.exc_info()
    return made


def test_log_lines_are_one_line_whatever_is_in_them() -> None:
    line = TextFormatter().format(record("refused reason=%s", "no\nsuch\nthing\u2028\x1b[2K"))
    assert line == "2027-01-15T08:00:00.250Z INFO modelward.x refused reason=no\\nsuch\\nthing\\u2028\\x1b[2K"


def test_log_lines_in_json_carry_the_traceback() -> None:
    text = JsonFormatter().format(record("broke key=%s", "a/b", failed=True))
    entry = json.loads(text)
    assert "\n" not in text
    assert entry["message"] == "broke key=a/b"
    assert entry["exception"].endswith("ValueError: odd")
    assert TextFormatter().format(record("broke", failed=True)).endswith("ValueError: odd")
