"""The sample fleet as the operator shows it to the hub: objects with a status, moved to the present."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import console_more_samples as more
import console_samples as samples

from modelward.api.quantity import timestamp, timestamp_ms
from modelward.api.shown_object import ShownKind, shown_object
from modelward.api.views import AlertView, CheckView, FleetRow

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NAMESPACES = ("retail", "claims", "marketing", "health", "docs", "people", "platform", "finance", "legal")


def fleet(now_ms: int) -> list[dict[str, Any]]:
    """Return all that the operator shows of the fleet."""
    alerts = more.alerts().rows
    rows = [row for row in samples.fleet_rows() if row.name != "chat"]
    objects = [shown_object("LLMEndpoint", _endpoint(row, alerts)) for row in rows]
    hostile = samples.row("hostile", "retail", "Healthy", 9_000, "")
    objects += [shown_object("LLMEndpoint", one) for one in (_chat(alerts), _endpoint(hostile, ()))]
    objects += [shown_object("MonitoringPolicy", _policy(namespace)) for namespace in NAMESPACES]
    objects.append(shown_object("AlertSilence", _silence()))
    return [moved(one, now_ms - samples.NOW_MS) for one in objects]


def many(count: int, now_ms: int) -> Iterator[dict[str, Any]]:
    """Yield so many endpoints, of which a few need attention."""
    for number in range(count):
        health = "Unhealthy" if number % 997 == 0 else "Degraded" if number % 211 == 0 else "Healthy"
        row = samples.row(f"model-{number:04d}", f"team-{number % 40}", health, 30 + number % 900, "")  # type: ignore[arg-type]
        yield moved(shown_object("LLMEndpoint", _endpoint(row, ())), now_ms - samples.NOW_MS)


def moved(value: Any, by_ms: int) -> Any:
    """Return a value whose times are later."""
    if isinstance(value, dict):
        return {key: moved(item, by_ms) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [moved(item, by_ms) for item in value]
    if isinstance(value, str) and _TIME.fullmatch(value):
        return timestamp(timestamp_ms(value) + by_ms)
    return value


def _endpoint(row: FleetRow, alerts: tuple[AlertView, ...]) -> dict[str, Any]:
    namespace = "retail" if any(one.endpoint == row.name for one in alerts) else row.namespace
    ready, _, desired = row.replicas.partition("/")
    status = {
        "summary": row.why,
        "health": row.health,
        "healthSince": timestamp(row.since_ms or 0),
        "checks": row.checks,
        "replicas": int(desired or 0),
        "readyReplicas": int(ready or 0),
        "replicasSummary": row.replicas,
        "usage": {"firstTokenP95": row.first_token_p95, "errorRate": row.error_rate, "requestsPerMinute": "120"},
        "collector": {"mode": row.mode or "Sidecar", "ready": 1, "desired": 1, "trafficSeen": row.seen},
        "alerts": [_alert(one) for one in alerts if one.endpoint == row.name],
        **_checks((row.leading,) if row.leading else ()),
    }
    return _object("LLMEndpoint", namespace, row.name, {"engine": "vllm", "backend": {"template": {}}}, status)


def _chat(alerts: tuple[AlertView, ...]) -> dict[str, Any]:
    status = samples.endpoint_view().status.wire()
    rollout = {"time": timestamp(samples.NOW_MS - 240 * 60_000), "kind": "Revision", "message": "5c2e1a → 7f9c4d"}
    changes = [rollout, *status["changes"][1:]]
    of_chat = [_alert(one) for one in alerts if one.endpoint == "chat"]
    status |= {"alerts": of_chat, "changes": changes, **_checks(samples.checks())}
    spec = {
        "engine": "vllm",
        "backend": {"template": {}},
        "collector": {"mode": "Sidecar"},
        "scaling": {"mode": "Direct"},
    }
    return _object("LLMEndpoint", "retail", "chat", spec, status)


def _checks(checks: tuple[CheckView, ...]) -> dict[str, Any]:
    def of(check: CheckView, number: str) -> dict[str, Any]:
        named = {key: getattr(check, key) for key in ("policy", "name", "verdict", "samples", "reason", "message")}
        return {**named, number: check.value, "observedAt": timestamp(samples.NOW_MS - 60_000)}

    scored = [one for one in checks if one.kind == "Evaluation"]
    return {
        "metrics": [of(one, "value") for one in checks if one.kind == "Objective"],
        "evaluations": [
            {**of(one, "rate"), "low": one.low, "high": one.high, "examples": list(one.examples)} for one in scored
        ],
    }


def _alert(one: AlertView) -> dict[str, Any]:
    by = f"AlertSilence/{one.silence}" if one.silence else one.by
    return {
        "policy": one.policy, "name": one.name, "state": one.state, "severity": one.severity, "message": one.message,
        "since": timestamp(one.since_ms or 0), "held": one.held, "by": by,
        "deliveries": [each.wire() for each in one.deliveries],
    }  # fmt: skip


def _policy(namespace: str) -> dict[str, Any]:
    topics = {"builtin": "OffTopicAnswered"}
    shares = {"stays-on-topic": "10%", "answers-refused": "8%", "no-personal-data": "2%", "tone": "5%"}
    evaluations = [{"name": name, "check": topics, "failAbove": limit, "over": "6h"} for name, limit in shares.items()]
    evaluations.append({"name": "helpful", "evaluatorRef": {"name": "helpful"}, "failBelow": "70%", "over": "6h"})
    spec = {**more.SPEC, "endpointSelector": {}, "evaluations": evaluations}
    status = {"endpoints": 3, "endpointsSummary": "2/3 healthy"}
    return _object("MonitoringPolicy", namespace, "banking", spec, status)


def _silence() -> dict[str, Any]:
    (one,) = more.alerts().silences
    spec = {
        "endpoint": one.endpoint, "alerts": list(one.alerts), "until": timestamp(one.until_ms or 0),
        "untilResolved": True, "comment": one.comment, "author": one.by,
    }  # fmt: skip
    return _object("AlertSilence", "retail", one.name, spec, {})


def silence(namespace: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Return an AlertSilence that the operator made, as it shows it."""
    return shown_object("AlertSilence", _object("AlertSilence", namespace, name, spec, {}))


def _object(kind: ShownKind, namespace: str, name: str, spec: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    about = {
        "namespace": namespace,
        "name": name,
        "uid": f"{kind}-{namespace}-{name}",
        "creationTimestamp": timestamp(samples.NOW_MS),
    }
    return {"kind": kind, "metadata": about, "spec": spec, "status": status}
