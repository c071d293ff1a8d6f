"""What is kept of each endpoint between two reconciles, of which there are thousands."""

from __future__ import annotations

import gc
import weakref

from prometheus_client import CollectorRegistry

from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.observe.endpoint_metrics import EndpointMetrics

ABOUT = {"name": "chat", "namespace": "retail", "uid": "u", "resourceVersion": "1"}
SPEC = {"backend": {"external": {"url": "https://api.example.com"}}}


def test_series_keep_no_second_copy_of_a_status_that_the_endpoint_has_already() -> None:
    series = EndpointMetrics(CollectorRegistry())
    endpoint = LLMEndpoint.model_validate({"metadata": ABOUT, "spec": SPEC, "status": {"health": "Unhealthy"}})
    known = Gathered(endpoint, {"metadata": ABOUT}, (), {}, allow_raw=False, workload=None)
    again = endpoint.status.model_copy()
    series.endpoint(known, MonitoringPlan(), again, ())
    copy = weakref.ref(again)
    del again
    gc.collect()
    assert copy() is None
    changed = endpoint.status.model_copy(update={"health": "Healthy"})
    series.endpoint(known, MonitoringPlan(), changed, ())
    (family,) = (one for one in series.verdicts.collect() if one.name == "modelward_health")
    assert {sample.labels["health"] for sample in family.samples if sample.value} == {"Healthy"}
