"""Which collectors run something else than they would be given now."""

from __future__ import annotations

from typing import Any

import pytest
from status_specimens import NOW_MS, pod

from modelward.metrics.snapshot import Snapshot
from modelward.status.collector_release import of_another_release, of_other_settings


def running(name: str, image: str, **status: Any) -> dict[str, Any]:
    """Build a pod whose collector has this image."""
    found = pod(name, **status)
    return {**found, "spec": {**found["spec"], "initContainers": [{"name": "modelward-collector", "image": image}]}}


def workload(image: str, updated: int) -> dict[str, Any]:
    """Build a Deployment of three pods, so many of which follow its template."""
    template = {
        "spec": {"initContainers": [{"name": "wait", "image": "x"}, running("", image)["spec"]["initContainers"][0]]}
    }
    return {"spec": {"template": template}, "status": {"replicas": 3, "updatedReplicas": updated}}


PODS = [running("a", "collector:1"), running("b", "collector:2"), running("c", "collector:1")]


@pytest.mark.parametrize(
    ("found", "outdated"),
    [
        (workload("collector:1", 3), 2),
        (workload("collector:2", 1), 2),
        (None, 2),
    ],
)
def test_pods_that_keep_an_earlier_collector_are_counted(found: dict[str, Any] | None, outdated: int) -> None:
    assert of_another_release(PODS, found, "collector:2") == outdated


def test_an_image_that_an_admission_policy_put_in_is_no_other_release() -> None:
    mirrored = [running("a", "mirror/collector:2")]
    assert of_another_release(mirrored, workload("collector:2", 3), "collector:2") == 0


def test_pods_that_end_and_pods_without_a_collector_are_not_counted() -> None:
    pods = [running("a", "collector:1", phase="Succeeded"), pod("b", sidecar=None)]
    assert of_another_release(pods, None, "collector:2") == 0


def test_collectors_that_run_no_settings_or_others_are_counted_and_engines_are_none() -> None:
    pages = [
        Snapshot("a", NOW_MS, "collector", config_generation="new"),
        Snapshot("b", NOW_MS, "collector", config_generation="old"),
        Snapshot("c", NOW_MS, "collector"),
        Snapshot("d", NOW_MS, "engine"),
    ]
    assert of_other_settings(pages, "new") == (2, 3)
