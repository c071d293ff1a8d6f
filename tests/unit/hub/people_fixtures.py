"""Endpoints and policies as the operator shows them to the hub."""

from __future__ import annotations

from typing import Any

from hub_fixtures import NOW_MS

from modelward.api.quantity import timestamp
from modelward.api.shown_object import ShownKind, shown_object

CANARY = "s3cr3t-in-a-pod-template"


def endpoint(namespace: str = "retail", name: str = "chat", **status: Any) -> dict[str, Any]:
    """Return an LLMEndpoint whose spec holds what must never leave the operator."""
    return {
        "metadata": {"namespace": namespace, "name": name, "uid": f"uid-{namespace}-{name}"},
        "spec": {
            "engine": "vllm",
            "backend": {"template": {"podTemplate": {"spec": {"containers": [{"env": [{"value": CANARY}]}]}}}},
            "collector": {"mode": "Sidecar", "resources": {"limits": {"x": CANARY}}},
            "scaling": {"mode": "Direct", "maxReplicas": 4},
            "usage": {"prices": {"currency": "USD", "perMillionInputTokens": "0.15"}, "callers": {"header": CANARY}},
        },
        "status": {"health": "Healthy", "healthSince": timestamp(NOW_MS - 60_000), "summary": "all well", **status},
    }


def evaluation(name: str = "topic", **changes: Any) -> dict[str, Any]:
    """Return an entry of `status.evaluations`."""
    return {
        "policy": "baseline", "name": name, "verdict": "Failed", "rate": "31%", "low": "24%", "high": "39%",
        "samples": 140, "reason": "AboveLimit", "message": "31% (24-39) > 10%, n=140", "revision": "r1",
    } | changes  # fmt: skip


def policy(namespace: str = "retail", name: str = "baseline") -> dict[str, Any]:
    """Return a MonitoringPolicy with one objective and one evaluation."""
    return {
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "endpointSelector": {},
            "objectives": [{"name": "errors", "metric": "ErrorRate", "maxRate": "1%", "severity": "Critical"}],
            "evaluations": [
                {"name": "topic", "check": {"builtin": "OffTopicAnswered"}, "failAbove": "10%", "over": "1h"}
            ],
        },
        "status": {"endpoints": 1, "endpointsSummary": "1/1 healthy"},
    }


def shown(*objects: tuple[ShownKind, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return objects as the operator sends them."""
    return [shown_object(kind, obj) for kind, obj in objects]


def retail_and_bank() -> list[dict[str, Any]]:
    """Return an endpoint that needs a person in one namespace, and one of another tenant."""
    degraded = endpoint(health="Degraded", summary="topic 31% (24-39) > 10%, n=140", evaluations=[evaluation()])
    return shown(
        ("LLMEndpoint", degraded),
        ("MonitoringPolicy", policy()),
        ("LLMEndpoint", endpoint("bank", "secret-project")),
        ("MonitoringPolicy", policy("bank", "bank-policy")),
    )
