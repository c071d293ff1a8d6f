"""`preview`: what a policy would have done with the time that is past, by the engine that alerts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from modelward.kubectl.alerts import seconds
from modelward.kubectl.cluster import Cluster
from modelward.kubectl.errors import PluginError
from modelward.kubectl.hub import HubWay, hub_of
from modelward.kubectl.table import bold, plain, table

_COLUMNS = ("FROM", "UNTIL", "ENDPOINT", "ALERT", "SEVERITY", "REASON", "MESSAGE")


def preview(cluster: Cluster, way: HubWay, file: str, over: str, now: datetime) -> str:
    """Return which alerts the MonitoringPolicy of a file would have raised; nothing is applied."""
    document = _policy(cluster, file)
    with hub_of(cluster, way) as hub:
        asked = {
            "namespace": cluster.here(),
            "name": document["metadata"]["name"],
            "spec": document.get("spec", {}),
            "fromMs": round((now - timedelta(seconds=seconds(over))).timestamp() * 1000),
            "toMs": round(now.timestamp() * 1000),
        }
        found = hub.send("/v1/view/preview", asked)
    lines = [bold(plain(found.get("sentence") or "nothing can be said of it"))]
    lines += [f"  {plain(problem)}" for problem in found.get("problems", ())]
    episodes = (found.get("then") or {}).get("episodes", ())
    if episodes:
        lines.append(table(_COLUMNS, [_row(one) for one in episodes]))
    return "\n".join(lines)


def _policy(cluster: Cluster, file: str) -> Mapping[str, Any]:
    """Read the file as kubectl does, so that it may be YAML, a folder or `-`; the API server is not asked to change."""
    text = cluster.run("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", file)
    found = json.loads(text)
    items = found.get("items", [found])
    policies = [one for one in items if one.get("kind") == "MonitoringPolicy"]
    if len(policies) != 1:
        raise PluginError(f"{file} holds {len(policies)} MonitoringPolicies; a preview is of one")
    return dict(policies[0])


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    until = one.get("untilMs")
    end = _time(until) + (" (closed)" if one.get("closed") else "") if until else "fires still"
    what = one["endpoint"], one["alert"], one["severity"], one.get("reason", ""), one.get("message", "")
    return _time(one["sinceMs"]), end, *what


def _time(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%m-%d %H:%M")
