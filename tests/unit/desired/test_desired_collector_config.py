"""What collectors are told, what they may use, and where their Service leads."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from desired_specimens import PLAIN, SETTLED, endpoint, external, run_here

from modelward.api.amount import amount
from modelward.api.collector_config import config_from_json
from modelward.api.llmendpoint import Resources
from modelward.desired.capture import EffectiveCapture
from modelward.desired.children import Facts, children
from modelward.desired.collector_config import config_map, engine_metrics_path, generation, renewed_authority
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.desired.quality_of_service import GUARANTEED, SIDECAR, collector_resources, is_guaranteed
from modelward.desired.service import service_url


def test_a_collector_can_read_what_it_is_told() -> None:
    made = config_map(run_here(), EffectiveCapture("Redacted", 5), PLAIN, engine_port=8080)
    config = config_from_json(json.loads(made["data"]["collector.json"]))
    assert config.capture.content == "Redacted"
    assert config.engine_metrics_url == "http://127.0.0.1:8080/metrics"
    assert config.hub_url == PLAIN.hub_url
    assert made["data"]["hub-ca.pem"] == PLAIN.hub_ca_pem


def test_the_generation_changes_with_the_settings_and_only_with_them() -> None:
    one, same, other = (
        generation(config_map(run_here(replicas=n), EffectiveCapture("None", ppm), PLAIN, engine_port=8080))
        for n, ppm in ((1, 1), (2, 1), (1, 2))
    )
    assert one == same != other


@pytest.mark.parametrize("broken", [{}, {"data": None}, {"data": {"collector.json": "{"}}])
def test_a_config_map_without_settings_has_no_generation(broken: dict[str, Any]) -> None:
    assert generation(broken) == ""


def test_the_config_map_holds_no_key_since_whoever_may_read_it_could_test_guesses() -> None:
    spec = {"backend": {"external": {"url": "http://a"}}}
    first, second = (
        json.loads(config_map(endpoint(spec, uid=uid), EffectiveCapture(), SETTLED, engine_port=None)["data"][FILE])
        for uid in "ab"
    )
    assert "conversationKey" not in first
    assert first == second, "nothing in it is made of the uid"
    assert first["engine"]["metricsUrl"] is None


FILE = "collector.json"


def test_an_api_has_no_engine_to_scrape() -> None:
    assert engine_metrics_path(external()) is None


def test_the_address_names_the_port_where_it_is_not_the_usual_one() -> None:
    assert service_url(run_here()) == "http://chat.retail.svc"
    assert service_url(run_here(service={"port": 8000, "name": "llm"})) == "http://llm.retail.svc:8000"


def test_an_endpoint_that_was_never_stored_owns_nothing() -> None:
    made = children(endpoint({"backend": {"external": {"url": "http://a"}}}, uid=""), MonitoringPlan(), PLAIN, Facts())
    assert not isinstance(made, Finding)
    assert all("ownerReferences" not in child.obj["metadata"] for child in made)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("1500m", Fraction(3, 2)), ("2Gi", 2**31), ("1e3", 1000), ("1E", 10**18), (".5k", 500), ("x", None)],
)
def test_quantities_are_read_as_kubernetes_reads_them(text: str, value: Any) -> None:
    assert amount(text) == value


@pytest.mark.parametrize("text", ["", "1X", "1ii", "Gi"])
def test_what_is_no_quantity_is_none(text: str) -> None:
    assert amount(text) is None


@pytest.mark.parametrize(
    ("resources", "guaranteed"),
    [
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, True),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}}, True),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, False),
        ({"limits": {"memory": "1Gi"}}, False),
        ({"limits": {"cpu": "0", "memory": "1Gi"}}, False),
        ({}, False),
    ],
)
def test_the_class_of_a_pod_is_told_as_kubernetes_tells_it(resources: dict[str, Any], guaranteed: bool) -> None:
    assert is_guaranteed([{"resources": resources}]) is guaranteed


def test_a_pod_of_nothing_is_not_guaranteed() -> None:
    assert not is_guaranteed([])


def test_what_the_user_gives_the_collector_wins() -> None:
    written = Resources(limits={"memory": "1Gi"})
    assert collector_resources(None, SIDECAR, guaranteed=False) == SIDECAR
    assert collector_resources(written, SIDECAR, guaranteed=False) == {"limits": {"memory": "1Gi"}}
    equal = {**GUARANTEED, "memory": "1Gi"}
    assert collector_resources(written, SIDECAR, guaranteed=True) == {"requests": equal, "limits": equal}
    assert collector_resources(Resources(), SIDECAR, guaranteed=False) == SIDECAR


def test_a_new_authority_of_the_hub_changes_nothing_else_of_the_settings() -> None:
    made = config_map(run_here(), EffectiveCapture("Redacted", 5), PLAIN, engine_port=8080)
    assert renewed_authority(run_here(), made, PLAIN) is None
    changed = renewed_authority(run_here(), made, replace(PLAIN, hub_ca_pem="another"))
    assert changed is not None
    assert changed["data"] == {**made["data"], "hub-ca.pem": "another"}
    assert changed["metadata"] == made["metadata"]


@pytest.mark.parametrize("actual", [None, {}, {"data": None}, {"data": {"hub-ca.pem": "old"}}])
def test_where_there_are_no_settings_no_authority_is_brought(actual: Any) -> None:
    assert renewed_authority(run_here(), actual, PLAIN) is None
    assert renewed_authority(run_here(), {"data": {FILE: "{}"}}, replace(PLAIN, hub_ca_pem="")) is None
