"""`alerts`, `ack` and `silence`: what fires, who was told, and how people take care of it or wish to hear less."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from modelward.kubectl.cluster import GROUP, Cluster
from modelward.kubectl.errors import PluginError
from modelward.kubectl.fleet import status_of
from modelward.kubectl.table import age, table
from modelward.kubectl.why import told_by

SHOWN = ("Firing", "Held")
_STATES = ("Firing", "Held", "Pending", "Resolved", "Closed")
_DURATION = re.compile(r"([0-9]+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LONGEST = timedelta(days=30)
_NOT_IN_NAMES = re.compile(r"[^a-z0-9-]+")


def alerts(cluster: Cluster, now: datetime, *, every: bool = False) -> str:
    """Return the alerts that fire or are held, `every` one with those that ended or begin."""
    rows = [
        (one.get("state", ""), obj, one)
        for obj in cluster.objects("llmep")
        for one in status_of(obj).get("alerts", ())
        if every or one.get("state") in SHOWN
    ]
    if not rows:
        return "No alert fires." + ("" if every else " --all shows those that begin or ended too")
    rows.sort(key=lambda row: (_STATES.index(row[0]) if row[0] in _STATES else 9, row[2].get("since", "")))
    heads = ("STATE", "SEVERITY", "NAMESPACE", "ENDPOINT", "ALERT", "SINCE", "TOLD", "MESSAGE")
    return table(heads, [_row(state, obj["metadata"], one, now) for state, obj, one in rows])


def acknowledge(cluster: Cluster, endpoint: str, alert: str, lasts: str, comment: str, now: datetime) -> str:
    """Silence one alert until it resolves: who else reads it sees that it is taken care of."""
    fires = [
        one["name"] for one in status_of(cluster.object("llmep", endpoint)).get("alerts", ()) if one["state"] in SHOWN
    ]
    if alert not in fires:
        known = f"it fires: {', '.join(fires)}" if fires else "nothing fires there"
        raise PluginError(f"alert {alert} of {endpoint} does not fire; {known}")
    spec = {"endpoint": endpoint, "alerts": [alert], "untilResolved": True}
    return cluster.create(_silence(cluster, f"ack-{endpoint}-", spec, lasts, comment, now))


def silence(cluster: Cluster, endpoint: str, names: Sequence[str], lasts: str, comment: str, now: datetime) -> str:
    """Silence alerts of an endpoint, or of the whole namespace, for a while."""
    spec: dict[str, Any] = {"alerts": list(names)} if names else {}
    if endpoint:
        cluster.object("llmep", endpoint)
        spec["endpoint"] = endpoint
    return cluster.create(_silence(cluster, f"silence-{endpoint or 'all'}-", spec, lasts, comment, now))


def seconds(duration: str) -> int:
    """Return a duration such as 90m, 2h or 1h30m in seconds; PluginError where it is none."""
    parts = _DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise PluginError(f"{duration!r} is no duration: write 30m, 2h or 7d")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def _silence(
    cluster: Cluster, prefix: str, spec: Mapping[str, Any], lasts: str, comment: str, now: datetime
) -> Mapping[str, Any]:
    lasting = timedelta(seconds=seconds(lasts))
    if lasting > LONGEST:
        raise PluginError("a silence lasts at most 30d: change or remove the alert instead")
    until = (now + lasting).strftime("%Y-%m-%dT%H:%M:%SZ")
    more = {"comment": comment[:256], "author": cluster.person()[:128]}
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "AlertSilence",
        "metadata": {"generateName": _NOT_IN_NAMES.sub("-", prefix.lower())[-50:].lstrip("-")},
        "spec": {**spec, "until": until, **{key: value for key, value in more.items() if value}},
    }


def _row(state: str, metadata: Mapping[str, Any], one: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    held = f" ({one['held']})" if one.get("held") else ""
    return (
        state,
        one.get("severity", ""),
        metadata.get("namespace", ""),
        metadata["name"],
        one["name"],
        age(one.get("since", ""), now),
        told_by(one),
        one.get("message", "") + held,
    )
