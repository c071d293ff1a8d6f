"""`why`: what an endpoint's health rests on, with the evidence, and what was changed before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from modelward.kubectl.cluster import Cluster, JsonObject
from modelward.kubectl.fleet import firing, status_of
from modelward.kubectl.hub import HubWay, endpoint_path, hub_of
from modelward.kubectl.table import age, bold, coloured, plain, table

_ORDER = {"Failed": 0, "Unknown": 1, "Passed": 2}


def why(cluster: Cluster, name: str, now: datetime) -> str:
    """Return the reasons in the order in which a person asks: what is wrong, how sure, what changed, who was told."""
    obj = cluster.object("llmep", name)
    found = status_of(obj)
    if not found:
        return f"{name} has no status yet: is the operator running? kubectl get pods -n modelward-system"
    parts = [_headline(name, found, now), _checks(found), _conditions(found), _changes(found, now), _alerts(obj, now)]
    return "\n\n".join(part for part in (*parts, _next(obj, found)) if part)


def suspects(cluster: Cluster, way: HubWay, name: str, check: str) -> str:
    """Return what the hub makes of it: requests before and after the flip, by revision, model, code and caller."""
    with hub_of(cluster, way) as hub:
        found = hub.view(endpoint_path(cluster.here(), name, "why"), check=check)
    lines = [bold("Before and after"), "  " + plain(found.get("sentence") or "can't tell")]
    rows = [
        (one["by"], one["value"], _share(one["before"]), _share(one["after"]), f"+{one['risePpm'] / 10_000:.1f} points")
        for one in found.get("causes", ())
    ]
    return "\n".join(lines) + ("\n" + table(("BY", "VALUE", "BEFORE", "AFTER", "RISE"), rows) if rows else "")


def _share(side: Mapping[str, Any]) -> str:
    share = side.get("sharePpm")
    of = f"{side.get('bad', 0)} of {side.get('requests', 0)}"
    return of if share is None else f"{share / 10_000:.1f}% ({of})"


def _headline(name: str, found: Mapping[str, Any], now: datetime) -> str:
    health, since = found.get("health", "Unknown"), age(found.get("healthSince", ""), now)
    return f"{bold(name)} is {coloured(health)}{f' for {since}' if since else ''}: {plain(found.get('summary', ''))}"


def _checks(found: Mapping[str, Any]) -> str:
    rows: Sequence[Mapping[str, Any]] = [*found.get("metrics", ()), *found.get("evaluations", ())]
    if not rows:
        return "No check yet: a MonitoringPolicy states them (kubectl explain mpol.spec)"
    rows = sorted(rows, key=lambda one: (_ORDER.get(one.get("verdict", ""), 1), one["policy"], one["name"]))
    shown = [
        (
            one.get("verdict", "Unknown"),
            f"{one['policy']}/{one['name']}",
            _value(one),
            str(one.get("samples", 0)),
            one.get("reason", ""),
            one.get("message", ""),
        )
        for one in rows
    ]
    return table(("VERDICT", "CHECK", "VALUE", "N", "REASON", "MESSAGE"), shown)


def _value(one: Mapping[str, Any]) -> str:
    value = one.get("value") or one.get("rate") or ""
    return f"{value} ({one['low']}-{one['high']})" if one.get("low") and one.get("high") else value


def _conditions(found: Mapping[str, Any]) -> str:
    rows = [
        (one["status"], one["type"], one.get("reason", ""), one.get("message", ""))
        for one in found.get("conditions", ())
        if one["status"] != "True"
    ]
    return table(("STATUS", "CONDITION", "REASON", "MESSAGE"), rows) if rows else ""


def _changes(found: Mapping[str, Any], now: datetime) -> str:
    rows = [(age(one["time"], now), one["kind"], one.get("message", "")) for one in found.get("changes", ())]
    return table(("AGO", "CHANGED", "FROM → TO"), rows) if rows else ""


def _alerts(obj: JsonObject, now: datetime) -> str:
    rows = [
        (one["state"], one["name"], one.get("severity", ""), age(one.get("since", ""), now), told_by(one))
        for one in firing(obj)
    ]
    return table(("ALERT", "NAME", "SEVERITY", "SINCE", "TOLD"), rows) if rows else ""


def told_by(alert: Mapping[str, Any]) -> str:
    """Return who was told of an alert, or what keeps it from being told."""
    if alert.get("by"):
        return f"not told: {alert['by']}"
    deliveries = alert.get("deliveries", ())
    told = [
        one["receiver"] if one.get("told") else f"{one['receiver']} ({one.get('problem') or 'sending'})"
        for one in deliveries
    ]
    return ", ".join(told)


def _next(obj: JsonObject, found: Mapping[str, Any]) -> str:
    where = f"-n {obj['metadata'].get('namespace', '')} {obj['metadata']['name']}"
    failed = [one for one in found.get("evaluations", ()) if one.get("verdict") == "Failed"]
    lines = [f"kubectl modelward samples {where} --flagged {failed[0]['policy']}/{failed[0]['name']}"] if failed else []
    lines += [f"kubectl modelward ack {where} {firing(obj)[0]['name']}"] if firing(obj) else []
    return "\n".join([bold("Next"), *(f"  {line}" for line in lines)]) if lines else ""
