"""Replicas follow the load where Modelward may write them, never on missing data, and never against another writer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from customers import Crowd, reached
from installation import Installed, endpoint, scripted
from pod_processes import stopped

pytestmark = pytest.mark.cluster

MAXIMUM = 3
BUSY, ADVISED, FOUGHT, MANUAL = "busy", "advised", "fought", "manual"
BLIND, SEEING = "blind", "seeing"
HOLD_S = 60
"""Of two idle endpoints with one replica too many: one loses it after this time, the other its metrics before."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """The namespace of these tests, and when (by the monotonic clock) its blind endpoint lost its metrics."""

    installed: Installed
    namespace: str
    blind_since: float

    def replicas(self, name: str) -> tuple[int | None, int]:
        """Return what the LLMEndpoint and its Deployment ask for."""
        asked = self.installed.get("llmep", name, self.namespace)["spec"].get("replicas")
        (workload,) = self.installed.items("deployments", self.namespace, f"modelward.dev/endpoint={name}")
        return asked, int(workload["spec"]["replicas"])

    def scaling(self, name: str) -> dict[str, Any]:
        """Return status.scaling."""
        found: dict[str, Any] = self.installed.status(name, self.namespace).get("scaling", {})
        return found


@pytest.fixture(scope="module")
def scaled(installed: Installed) -> Iterator[Scaled]:
    """Apply six endpoints, a HorizontalPodAutoscaler for one of them, and make one of them blind."""
    namespace = f"e2e-scaling-{uuid.uuid4().hex[:5]}"
    installed.cluster.kubectl("create", "namespace", namespace)
    installed.apply(namespace, autoscaler(FOUGHT))
    installed.apply(
        namespace,
        bot(BLIND, "Direct", hold=f"{HOLD_S}s", replicas=2),
        bot(SEEING, "Direct", hold=f"{HOLD_S}s", replicas=2),
        bot(BUSY, "Direct"),
        bot(ADVISED, "Advisory"),
        bot(FOUGHT, "Direct"),
        bot(MANUAL, "Off"),
    )
    installed.until_condition(BLIND, namespace, "Ready", "True")
    with collectors_stopped(installed, BLIND, namespace) as frozen:
        assert len(frozen) == 2
        since = time.monotonic()
        for name in (BUSY, ADVISED, FOUGHT, MANUAL):
            installed.until_condition(name, namespace, "Ready", "True")
        for name in (BUSY, ADVISED, FOUGHT):
            installed.until("the Service leads there", partial(reached, installed.url(name, namespace)))
        yield Scaled(installed, namespace, since)
    installed.cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def bot(name: str, mode: str, *, hold: str = "15s", **spec: Any) -> dict[str, Any]:
    """Return an endpoint of which one replica serves two at once and writes 40 tokens a second."""
    template = scripted("--concurrency", "2", "--tokens-per-second", "20", cpu="5m")
    scaling = {"mode": mode, "minReplicas": 1, "maxReplicas": MAXIMUM, "tokensPerSecond": 40, "scaleDownHold": hold}
    resources = {"requests": {"cpu": "5m", "memory": "64Mi"}}
    return endpoint(
        name,
        {"template": template},
        engine="llamacpp",
        collector={"resources": resources},
        scaling=scaling,
        drainSeconds=5,
        **spec,
    )


def autoscaler(name: str) -> dict[str, Any]:
    """Return a user's own autoscaler of an LLMEndpoint."""
    target = {"apiVersion": "modelward.dev/v1alpha1", "kind": "LLMEndpoint", "name": name}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "theirs"},
        "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5, "metrics": [cpu]},
    }


def collectors_stopped(installed: Installed, name: str, namespace: str) -> AbstractContextManager[list[int]]:
    """Freeze the collectors' first processes, which answer for metrics."""
    selector = f"modelward.dev/endpoint={name},modelward.dev/component=model"
    pods = {pod["metadata"]["name"] for pod in installed.items("pods", namespace, selector)}
    return stopped(pods, "modelward.collector")


def test_replicas_follow_the_load_where_modelward_may_write_them_and_nowhere_else(scaled: Scaled) -> None:
    installed = scaled.installed
    with ExitStack() as load:
        for name in (BUSY, ADVISED, FOUGHT):
            load.enter_context(Crowd(installed.url(name, scaled.namespace), at_once=6, max_tokens=24))
        installed.until("replicas rise", lambda: scaled.replicas(BUSY)[1] > 1 or None)
        decision = scaled.scaling(BUSY)["decisions"][0]
        assert decision["replicas"] > 1
        assert decision["reason"] in ("Load", "AtMaximum")
        assert "tok/s" in decision["message"]
        assert installed.condition(BUSY, scaled.namespace, "ScalingActive")[0] == "True"

        installed.until("the advice is shown", lambda: scaled.scaling(ADVISED).get("desired", 0) > 1 or None)
        assert scaled.replicas(ADVISED) == (None, 1)
        assert "advice only" in installed.condition(ADVISED, scaled.namespace, "ScalingActive")[2]

        status, reason, message = installed.condition(FOUGHT, scaled.namespace, "ScalingActive")
        assert (status, reason) == ("False", "AnotherScaler")
        assert "theirs" in message
        assert scaled.replicas(FOUGHT) == (None, 1)
        peak = scaled.replicas(BUSY)[1]
    installed.until("replicas fall", lambda: scaled.replicas(BUSY)[1] < peak or None, 120)
    decision = scaled.scaling(BUSY)["decisions"][0]
    assert decision["replicas"] < peak
    assert decision["reason"] in ("Load", "Idle", "AtMinimum")
    assert scaled.replicas(ADVISED)[1] == scaled.replicas(FOUGHT)[1] == 1


def test_what_a_person_scales_stays_where_scaling_is_off(scaled: Scaled) -> None:
    installed = scaled.installed
    installed.cluster.kubectl("scale", "llmep", MANUAL, "-n", scaled.namespace, "--replicas=2")
    installed.until("the Deployment follows", lambda: scaled.replicas(MANUAL) == (2, 2) or None)
    time.sleep(5)
    assert scaled.replicas(MANUAL) == (2, 2)
    assert scaled.scaling(MANUAL) == {}


def test_missing_metrics_never_scale_down(scaled: Scaled) -> None:
    """Of two endpoints with an idle replica, the one whose collectors do not answer the operator keeps it."""
    installed = scaled.installed
    time.sleep(max(0.0, scaled.blind_since + HOLD_S + 20 - time.monotonic()))
    installed.until("the one that is seen to be idle falls", lambda: scaled.replicas(SEEING) == (1, 1) or None)
    assert scaled.replicas(BLIND) == (2, 2)
    status, reason, message = installed.condition(BLIND, scaled.namespace, "ScalingActive")
    assert (status, reason) == ("Unknown", "HoldingOnStaleMetrics")
    assert "no fresh metrics" in message
    assert scaled.scaling(BLIND).get("decisions", []) == []
    assert installed.condition(BLIND, scaled.namespace, "MetricsAvailable")[0] != "True"
