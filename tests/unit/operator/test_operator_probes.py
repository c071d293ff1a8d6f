"""Probes say what is wrong, and metrics have the names that people alert on."""

import math

import aiohttp

from modelward.operator.runtime.probes import application, serving
from modelward.operator.runtime.telemetry import Telemetry
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
    telemetry.queue.observe_depth(Lane.SPEC, lambda: 3)
    telemetry.queue.observe_workers(lambda: [1.5, 2.0])
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
