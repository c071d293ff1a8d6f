"""`status` and `top`: all endpoints in a list, those that need a person first, or those that are used most."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from modelward.kubectl.cluster import Cluster, JsonObject
from modelward.kubectl.table import age, table

HEALTH = ("Unhealthy", "Degraded", "Unknown", "Healthy")
NOTHING = (
    "No LLMEndpoint here. Declare one: kubectl apply -f examples/watch-a-deployment.yaml; -A asks for all namespaces"
)
_NUMBER = re.compile(r"[0-9.]+")
SORTS = {
    "requests": "requestsPerMinute",
    "cost": "costPerHour",
    "errors": "errorRate",
    "input": "inputTokensPerMinute",
    "output": "outputTokensPerMinute",
}


def status(cluster: Cluster, now: datetime, *, as_json: bool = False) -> str:
    """Return every endpoint with its health, and why."""
    found = sorted(cluster.objects("llmep"), key=_need)
    if as_json:
        return json.dumps([_summary(one) for one in found], indent=2)
    if not found:
        return NOTHING
    heads = ("NAMESPACE", "NAME", "HEALTH", "SINCE", "REPLICAS", "TTFT-P95", "ERR", "CHECKS", "BUDGET", "ALERTS", "WHY")
    return table(heads, [_status_row(one, now) for one in found])


def top(cluster: Cluster, by: str = "requests") -> str:
    """Return every endpoint with what passes through it, the most first."""
    found = sorted(cluster.objects("llmep"), key=lambda one: (-_number(_usage(one).get(SORTS[by])), _name(one)))
    if not found:
        return NOTHING
    heads = ("NAMESPACE", "NAME", "REQ/MIN", "IN-TOK/MIN", "OUT-TOK/MIN", "TTFT-P95", "ERR", "COST/H", "REPLICAS")
    return table(heads, [_top_row(one) for one in found])


def status_of(obj: JsonObject) -> Mapping[str, Any]:
    """Return an object's status; empty where it has none."""
    found = obj.get("status")
    return found if isinstance(found, dict) else {}


def firing(obj: JsonObject) -> Sequence[Mapping[str, Any]]:
    """Return the alerts of an endpoint that fire or are held."""
    return [one for one in status_of(obj).get("alerts", ()) if one.get("state") in ("Firing", "Held")]


def _need(obj: JsonObject) -> tuple[int, str, tuple[str, str]]:
    found = status_of(obj)
    health = found.get("health", "Unknown")
    return (HEALTH.index(health) if health in HEALTH else 2, found.get("healthSince", ""), _name(obj))


def _name(obj: JsonObject) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _usage(obj: JsonObject) -> Mapping[str, Any]:
    return status_of(obj).get("usage") or {}


def _number(text: object) -> float:
    found = _NUMBER.search(str(text or ""))
    return float(found[0]) if found else -1.0


def _summary(obj: JsonObject) -> dict[str, Any]:
    found = status_of(obj)
    namespace, name = _name(obj)
    kept = {
        key: found.get(key)
        for key in ("health", "healthSince", "summary", "checks", "usage", "budgets", "evaluationBudgets")
    }
    return {"namespace": namespace, "name": name, **kept, "alerts": list(firing(obj))}


def _status_row(obj: JsonObject, now: datetime) -> tuple[str, ...]:
    found, usage = status_of(obj), _usage(obj)
    return (
        *_name(obj),
        found.get("health", "Unknown"),
        age(found.get("healthSince", ""), now),
        found.get("replicasSummary", ""),
        usage.get("firstTokenP95", ""),
        usage.get("errorRate", ""),
        found.get("checks", ""),
        _least_budget(found),
        str(len(firing(obj)) or ""),
        found.get("summary", "") or "no status yet: the operator has not seen it",
    )


def _least_budget(found: Mapping[str, Any]) -> str:
    rows = (*found.get("budgets", ()), *found.get("evaluationBudgets", ()))
    left = [one["remaining"] for one in rows if one.get("remaining")]
    return min(left, key=_number, default="")


def _top_row(obj: JsonObject) -> tuple[str, ...]:
    usage = _usage(obj)
    keys = (
        "requestsPerMinute",
        "inputTokensPerMinute",
        "outputTokensPerMinute",
        "firstTokenP95",
        "errorRate",
        "costPerHour",
    )
    return (*_name(obj), *(str(usage.get(key, "")) for key in keys), status_of(obj).get("replicasSummary", ""))
