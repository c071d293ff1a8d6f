"""`samples` and `label`: what was said, as far as it is kept, and what people make of it. Each reading is on record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from modelward.kubectl.alerts import seconds
from modelward.kubectl.cluster import Cluster
from modelward.kubectl.errors import PluginError
from modelward.kubectl.hub import ForwardedHub, HubWay, endpoint_path, hub_of
from modelward.kubectl.table import block, bold, coloured, plain

FAULT = {"fault": True, "ok": False, "unsure": None}
_PAGES = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which exchanges a person asks for."""

    since: str = "24h"
    flagged: str = ""
    status: str = ""
    slower: str = ""
    text: str = ""
    revision: str = ""
    limit: int = 10


def samples(cluster: Cluster, way: HubWay, name: str, wanted: Wanted, now: datetime, *, as_json: bool = False) -> str:
    """Return exchanges of an endpoint, newest first."""
    with hub_of(cluster, way) as hub:
        rows = list(_rows(hub, endpoint_path(cluster.here(), name, "exchanges"), wanted, now))
    if as_json:
        return json.dumps(rows, indent=2, ensure_ascii=False)
    if not rows:
        return (
            f"No exchange of {name} in the last {wanted.since} that fits. Is its text captured?"
            " spec.capture of its MonitoringPolicy says what is kept; --since 7d goes further back"
        )
    return "\n\n".join(_shown(one) for one in rows)


def label(cluster: Cluster, way: HubWay, name: str, exchange: str, check: str, word: str, comment: str) -> str:
    """Store what a person says of an exchange: it counts in the evaluator's measured error."""
    if "/" not in check:
        raise PluginError(f"{check!r} names no check: write POLICY/EVALUATION, as `samples` shows it")
    with hub_of(cluster, way) as hub:
        namespace = cluster.here()
        document = {
            "namespace": namespace, "endpoint": name, "responseId": exchange, "kind": "Label", "name": check,
            "fault": FAULT[word], "text": comment, "source": "Reviewer",
        }  # fmt: skip
        hub.send("/v1/feedback", document)
    return f"{exchange}: {word}, by {check}"


def _rows(hub: ForwardedHub, path: str, wanted: Wanted, now: datetime) -> Iterator[Mapping[str, Any]]:
    since = now - timedelta(seconds=seconds(wanted.since))
    cursor, left = "", wanted.limit
    for _ in range(_PAGES):
        page = hub.view(
            path,
            from_=round(since.timestamp() * 1000),
            to=round(now.timestamp() * 1000),
            flagged=wanted.flagged,
            status=wanted.status,
            slower=wanted.slower,
            text=wanted.text,
            revision=wanted.revision,
            cursor=cursor,
        )
        rows: Sequence[Mapping[str, Any]] = page.get("rows", ())
        yield from rows[:left]
        left -= len(rows)
        cursor = page.get("cursor", "")
        if left <= 0 or not cursor:
            return


def _shown(one: Mapping[str, Any]) -> str:
    time = datetime.fromtimestamp(one["timeMs"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    facts = [time, one.get("model", ""), f"status {one.get('status', '')}", f"{one.get('durationUs', 0) / 1000:.0f} ms"]
    lines = [bold(plain(one["id"])), "  " + plain(" · ".join(fact for fact in facts if fact))]
    for turn in one.get("turns", ()):
        lines += [f"  {plain(turn['role'])}:", block(turn["text"])]
    if one.get("response"):
        lines += ["  answer:", block(one["response"])]
    lines += [_finding(score) for score in one.get("scores", ())]
    for mask in one.get("masks", ()):
        lines.append(f"  masked: {mask['count']} {mask['kind']} in the {mask['subject']}")
    return "\n".join(lines)


def _finding(score: Mapping[str, Any]) -> str:
    flagged = score.get("flagged")
    found = score.get("state", "") if flagged is None else coloured("Failed", "flagged") if flagged else "fine"
    reason = f": {plain(score['reason'])}" if score.get("reason") else ""
    return f"  {found} by {score['policy']}/{score['evaluation']}{reason}"
