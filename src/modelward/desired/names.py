"""Names and labels of all that Modelward makes: computed, never remembered, so that a stale cache is harmless."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

from modelward.api.quantity import timestamp

NAME_LIMIT = 63
"""A DNS label; Pods, Services and label values share it."""
_HASH_LENGTH = 8

MANAGED_BY = "app.kubernetes.io/managed-by"
APP_NAME = "app.kubernetes.io/name"
ENDPOINT = "modelward.dev/endpoint"
COMPONENT = "modelward.dev/component"
RUN = "modelward.dev/run"
NOTIFY = "modelward.dev/notify"
"""On Jobs that tell receivers, and their pods: the name of the Job."""
EVALUATOR = "modelward.dev/evaluator"
ADOPTED_BY = "modelward.dev/adopted-by"
INJECTED = "modelward.dev/injected-generation"
TEMPLATE_HASH = "modelward.dev/template-hash"
REHEARSED = "modelward.dev/rehearsed"
ROLLOUT_AT = "modelward.dev/rollout-at"
ALLOW_RAW_PAYLOADS = "modelward.dev/allow-raw-payloads"
"""On a Namespace, set to "true": its policies may keep payloads unredacted."""

COLLECTOR = "modelward-collector"
"""Name of our container, of its ConfigMaps' prefix and of its volumes' prefix."""
GATEWAY_ACCOUNT = "modelward-gateway"
EVALUATE_ACCOUNT = "modelward-evaluate"
READER_ACCOUNT, VIEWER_ACCOUNT = "modelward-reader", "modelward-viewer"
READER_ACCOUNTS = (READER_ACCOUNT, VIEWER_ACCOUNT)
NOTIFY_ACCOUNT = "modelward-notify"
TOLD = "modelward-told-"
"""Before a namespace: the ConfigMap, in our own namespace, of what its receivers believe to fire."""
TOKEN_AUDIENCE = "modelward-hub"  # noqa: S105  # an audience, not a token

FRAME_MANAGER = "modelward"
TEMPLATE_MANAGER = "modelward-template"
SCALE_MANAGER = "modelward-scale"
ADOPT_MANAGER = "modelward-adopt"
NOTE_MANAGER = "modelward-note"
ALERT_MANAGER = "modelward-alerts"

Component = Literal["model", "gateway", "evaluator", "rehearsal", "config", "notifier", "reader"]


def fit(name: str) -> str:
    """Return the name, or its head with a hash of the whole where it is longer than a DNS label."""
    if len(name) <= NAME_LIMIT:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{name[: NAME_LIMIT - _HASH_LENGTH - 1].rstrip('-.')}-{digest}"


def model_workload(endpoint: str) -> str:
    """Return the name of the Deployment that runs the model."""
    return fit(endpoint)


def gateway(endpoint: str) -> str:
    """Return the name of the gateway's Deployment."""
    return fit(f"{endpoint}-gateway")


def rehearsal(endpoint: str) -> str:
    """Return the name of the Deployment that runs the collector alone before a workload takes it in."""
    return fit(f"{endpoint}-rehearsal")


def collector_config(endpoint: str) -> str:
    """Return the name of the ConfigMap that the collectors of an endpoint mount."""
    return fit(f"{COLLECTOR}-{endpoint}")


def model_pods(endpoint: str) -> str:
    """Return the name of the headless Service by which a gateway finds the model's pods."""
    return fit(f"{endpoint}-pods")


def told(namespace: str) -> str:
    """Return the name of the ConfigMap that remembers what receivers of a namespace's alerts were told."""
    return f"{TOLD}{namespace}"


def run(now_ms: int, part: str = "") -> str:
    """Return the name of the scheduled run of a tick, such as `modelward-20260102-030405` (UTC), then its part."""
    date, _, time = timestamp(now_ms).removesuffix("Z").partition("T")
    return f"modelward-{date.replace('-', '')}-{time.replace(':', '')}" + (f"-{part}" if part else "")


def run_plan(run_name: str) -> str:
    """Return the name of the ConfigMap that holds a run's plan."""
    return fit(run_name)


def calibration(evaluator: str, digest: str) -> str:
    """Return the name of an evaluator's calibration Job and of its plan; the digest is of all that it rests on."""
    return fit(f"modelward-calibrate-{evaluator}-{digest[:_HASH_LENGTH]}")


def run_job(run_name: str) -> str:
    """Return the name of a run's Job."""
    return fit(run_name)


def labels(endpoint: str, component: Component) -> dict[str, str]:
    """Return the labels of a child of an endpoint; nothing of a custom resource's own labels is copied."""
    return {
        APP_NAME: fit(endpoint),
        MANAGED_BY: "modelward",
        ENDPOINT: fit(endpoint),
        COMPONENT: component,
    }


def shared_labels(component: Component) -> dict[str, str]:
    """Return the labels of what several endpoints or runs of a namespace share."""
    return {APP_NAME: "modelward", MANAGED_BY: "modelward", COMPONENT: component}


def component(obj: Mapping[str, Any]) -> str:
    """Return which component's label an object or a pod carries; empty where it has none."""
    return str((obj["metadata"].get("labels") or {}).get(COMPONENT, ""))


def selector(endpoint: str, component: Component) -> dict[str, str]:
    """Return the labels by which the pods of a child are found; they can never change afterwards."""
    return {ENDPOINT: fit(endpoint), COMPONENT: component}
