"""Endpoints, histories and exchanges that pages are tested with: made up, and the same each time."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

from modelward.api.base import VerdictValue
from modelward.api.endpoint_status import Health, LLMEndpointStatus
from modelward.api.quantity import timestamp
from modelward.api.views import (
    Attention,
    CheckView,
    EndpointView,
    FleetCounts,
    FleetPage,
    FleetRow,
    IntervalBar,
    ShownSpec,
)
from modelward.console.charts.layers import DrawnLimit
from modelward.console.charts.strip import Mark
from modelward.console.charts.timeline import MINUTE, Timeline
from modelward.console.charts.track import Track
from modelward.console.pages.history import EndpointHistory, QualityTrack

NOW_MS = 1_795_789_930_000
"""2026-11-27 14:32:10 UTC."""
DAY_MS = 86_400_000
_NEEDS: dict[Health, Attention] = {
    "Degraded": "NeedsYou",
    "Unhealthy": "NeedsYou",
    "Unknown": "CannotTell",
    "Healthy": "Well",
}


def check(
    name: str,
    verdict: VerdictValue,
    value: float,
    low: float,
    high: float,
    limit: float,
    samples: int,
    **more: Any,
) -> CheckView:
    """Return an evaluation that bounds a share; all numbers in percent."""
    bar = IntervalBar(
        unit="Share", value=int(value * 1e4), low=int(low * 1e4), high=int(high * 1e4), limit=int(limit * 1e4)
    )
    shown = {"value": f"{value:g}%", "low": f"{low:g}%", "high": f"{high:g}%", "limit": f"{limit:g}%"}
    base: dict[str, Any] = {
        "policy": "banking",
        "kind": "Evaluation",
        "concern": "Quality",
        "severity": "Warning",
        "evaluator": "OffTopicAnswered",
        "over": "6h",
        "bar": bar,
        **shown,
        **more,
    }
    return CheckView(name=name, verdict=verdict, samples=samples, **base)


def objective(
    name: str, metric: str, verdict: VerdictValue, value: str, bar: IntervalBar, limit: str, samples: int
) -> CheckView:
    """Return an objective."""
    return CheckView(
        policy="banking",
        name=name,
        kind="Objective",
        concern="Objectives",
        severity="Warning",
        verdict=verdict,
        value=value,
        limit=limit,
        over="15m",
        samples=samples,
        metric=metric,
        bar=bar,
    )


def ribbon(state: Health, minutes: int, gap: int | None = None) -> str:
    """Return a day of quarter hours that ends with a state."""
    letter = {"Healthy": "W", "Degraded": "D", "Unhealthy": "B", "Unknown": "U"}[state]
    bad = 0 if state == "Healthy" else min(max(minutes // 15, 1), 96)
    text = "W" * (96 - bad) + letter * bad
    return text if gap is None else text[:gap] + "---" + text[gap + 3 :]


def asked(seed: int, ribbon_text: str, idle: bool = False) -> tuple[int | None, ...]:
    """Return requests by quarter hour, as an office sends them."""
    dice = random.Random(seed)
    peak, width, rough = dice.uniform(11, 17), dice.uniform(3, 6), dice.uniform(0.1, 0.4)
    found: list[int | None] = []
    for index, letter in enumerate(ribbon_text):
        hour = (14.5 + index / 4) % 24
        bell = 0.08 + math.exp(-(((hour - peak) / width) ** 2))
        number = 0 if idle else round(3000 * bell * (1 + rough * (dice.random() - 0.5)))
        found.append(None if letter == "-" else number)
    return tuple(found)


def row(name: str, namespace: str, health: Health, minutes: int, why: str, **more: Any) -> FleetRow:
    """Return one endpoint of a fleet."""
    letters = more.pop("ribbon", ribbon(health, minutes))
    base: dict[str, Any] = {
        "first_token_p95": "410ms",
        "error_rate": "0.2%",
        "replicas": "3/3",
        "checks": "5/5",
        "budget": "58%",
        "engine": "vllm",
        "mode": "Sidecar",
        "seen": "98%",
        "text": True,
    }
    return FleetRow(
        namespace=namespace,
        name=name,
        need=_NEEDS[health],
        health=health,
        since_ms=NOW_MS - minutes * MINUTE,
        why=why,
        ribbon=letters,
        asked=asked(len(name) * 7 + minutes, letters),
        **{**base, **more},
    )


_WELL = (
    "fraud-notes claims",
    "embeddings platform",
    "ledger-qa finance",
    "basket retail",
    "contracts legal",
    "menu retail",
    "returns retail",
    "kyc finance",
    "glossary docs",
    "search docs",
    "mailroom claims",
    "payroll people",
    "wiki docs",
)


def fleet_rows() -> tuple[FleetRow, ...]:
    """Return a fleet with something of everything."""
    off = check("stays-on-topic", "Failed", 32, 22, 44, 10, 140)
    rows = [
        row(
            "drafts",
            "marketing",
            "Unhealthy",
            4,
            "container model: ImagePullBackOff, registry.example/llm:2.4",
            leading=None,
            first_token_p95="",
            error_rate="",
            replicas="0/1",
            budget="64%",
            firing=1,
        ),
        row(
            "triage",
            "claims",
            "Unhealthy",
            26,
            "errors 7.4% (6.8-8.0) > 1%, n=6210",
            error_rate="7.4%",
            first_token_p95="940ms",
            replicas="3/4",
            budget="0%",
            firing=1,
            leading=objective(
                "errors",
                "ErrorRate",
                "Failed",
                "7.4%",
                IntervalBar(unit="Share", value=74000, low=68000, high=80000, limit=10000),
                "1%",
                6210,
            ),
        ),
        row(
            "chat",
            "retail",
            "Degraded",
            207,
            "stays-on-topic 32% (22-44) > 10%, n=140",
            leading=off,
            budget="18% (6%-31%)",
            firing=1,
        ),
        row(
            "intake",
            "health",
            "Degraded",
            305,
            "no-personal-data 1.9% (1.2-2.8) > 1%, n=1204",
            leading=check("no-personal-data", "Failed", 1.9, 1.2, 2.8, 1, 1204),
            budget="22% (9%-38%)",
            silenced=1,
        ),
        row(
            "pricing",
            "retail",
            "Unknown",
            20,
            "HubUnavailable: scores wait; serving is not touched",
            leading=CheckView(
                policy="banking",
                name="stays-on-topic",
                kind="Evaluation",
                concern="Quality",
                severity="Warning",
                verdict="Unknown",
                reason="HubUnavailable",
                limit="10%",
                bar=None,
            ),
            budget="41% of the period seen",
        ),
        row(
            "translate",
            "docs",
            "Unknown",
            55,
            "NearThreshold: stays-on-topic 9.1% (6.8-12), limit 10%, n=402",
            leading=check("stays-on-topic", "Unknown", 9.1, 6.8, 12, 10, 402, reason="NearThreshold"),
            held=1,
        ),
        row(
            "onboarding",
            "people",
            "Unknown",
            1140,
            "NoTraffic: nothing came since Wed 19:20",
            leading=check("tone", "Unknown", 4, 0.3, 19, 5, 14, reason="TooFewSamples"),
            ribbon="W" * 20 + "U" * 76,
            budget="",
        ),
    ]
    for index, text in enumerate(_WELL):
        name, namespace = text.split()
        best = check("stays-on-topic", "Passed", 1.2 + index % 4, 0.4 + index % 4, 2.9 + index % 4, 10, 400 + index)
        gap = 30 if index == 3 else None
        rows.append(
            row(name, namespace, "Healthy", 10_000 + index * 3_000, "", leading=best, ribbon=ribbon("Healthy", 0, gap))
        )
    return tuple(rows)


def fleet_page(rows: Sequence[FleetRow] | None = None, pages: int = 1, page: int = 1) -> FleetPage:
    """Return a page of a fleet."""
    shown = fleet_rows() if rows is None else tuple(rows)
    needs = [one.need for one in shown]
    counts = FleetCounts(
        needs_you=needs.count("NeedsYou"), cannot_tell=needs.count("CannotTell"), well=needs.count("Well")
    )
    names = tuple(sorted({one.namespace for one in shown}))
    return FleetPage(
        rows=shown,
        page=page,
        pages=pages,
        total=len(shown) * pages,
        counts=counts,
        namespaces=names,
        told_ms=NOW_MS - 8_000,
    )


def checks() -> tuple[CheckView, ...]:
    """Return the checks of the endpoint `chat`."""
    return (
        check(
            "stays-on-topic",
            "Failed",
            32,
            22,
            44,
            10,
            140,
            reason="AboveLimit",
            examples=("ex-7f3c19", "ex-7f3b02"),
            message="45 of 140 answers are off topic; it began with revision 7f9c.",
        ),
        check(
            "answers-refused",
            "Unknown",
            3.1,
            0.4,
            11,
            8,
            31,
            reason="TooFewSamples",
            evaluator="OnTopicRefused",
            message="31 of 50 answers that a verdict needs",
        ),
        check("no-personal-data", "Passed", 0.5, 0.2, 1, 2, 1020, evaluator="PII", over="24h", concern="Safety"),
        check("helpful", "Passed", 82, 78, 86, 70, 412, evaluator="judge helpful").model_copy(
            update={
                "bar": IntervalBar(unit="Share", value=820_000, low=780_000, high=860_000, limit=700_000, fails="Below")
            }
        ),
        objective(
            "errors",
            "ErrorRate",
            "Passed",
            "0.2%",
            IntervalBar(unit="Share", value=2000, low=1000, high=3000, limit=10000),
            "1%",
            12_480,
        ),
        objective(
            "first-token",
            "TimeToFirstToken",
            "Passed",
            "410ms",
            IntervalBar(unit="Duration", value=410_000, low=392_000, high=431_000, limit=800_000),
            "800ms",
            12_455,
        ),
    )


def endpoint_view() -> EndpointView:
    """Return the endpoint `chat`, which went off topic with its newest revision."""
    at = timestamp(NOW_MS - 207 * MINUTE)

    def before(minutes: int) -> str:
        return timestamp(NOW_MS - minutes * MINUTE)

    status = LLMEndpointStatus.model_validate(
        {
            "summary": "stays-on-topic 32% (22-44) > 10%, n=140",
            "health": "Degraded",
            "healthSince": at,
            "checks": "5/6",
            "replicasSummary": "3/3",
            "revision": "7f9c4d",
            "engine": "vllm",
            "models": ["acme/bank-chat-7b"],
            "address": {"url": "http://chat.retail.svc:18080/v1"},
            "usage": {"requestsPerMinute": "208", "costPerHour": "1.72 EUR"},
            "collector": {"mode": "Sidecar", "ready": 3, "desired": 3, "trafficSeen": "98%"},
            "appliedPolicies": [{"name": "banking", "generation": 4}],
            "scaling": {
                "desired": 3,
                "reason": "Steady",
                "capacity": "78 requests a minute per replica within the objective (measured)",
                "decisions": [
                    {
                        "time": before(350),
                        "replicas": 3,
                        "reason": "UsageAboveCapacity",
                        "message": "165 requests/min over 2 replicas of 78",
                    },
                    {
                        "time": before(480),
                        "replicas": 2,
                        "reason": "Growth",
                        "message": "rises by 1.1 a minute; ready in 4 min",
                    },
                    {"time": before(980), "replicas": 1, "reason": "UsageBelowCapacity", "message": "held 10 min"},
                ],
            },
            "budgets": [
                {"policy": "banking", "objective": "errors", "remaining": "61%", "seen": "99%"},
                {"policy": "banking", "objective": "first-token", "remaining": "", "seen": "41%"},
            ],
            "changes": [
                {"time": before(320), "kind": "Revision", "message": "5c2e1a → 7f9c4d"},
                {"time": before(1095), "kind": "Policy", "message": "banking 3 → 4"},
            ],
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "Ready",
                    "message": "the address answers",
                    "lastTransitionTime": before(9000),
                },
                {
                    "type": "QualityHealthy",
                    "status": "False",
                    "reason": "AboveLimit",
                    "message": "stays-on-topic 32% (22-44) > 10%, n=140",
                    "lastTransitionTime": at,
                },
                {"type": "SafetyHealthy", "status": "True", "reason": "Passed", "lastTransitionTime": before(9000)},
                {
                    "type": "ScalingActive",
                    "status": "Unknown",
                    "reason": "HoldingOnStaleMetrics",
                    "message": "one of three pods did not answer for 40 s",
                    "lastTransitionTime": before(3),
                },
            ],
        }
    )
    found = checks()
    lead = row("chat", "retail", "Degraded", 207, status.summary, leading=found[0])
    facts = ShownSpec(engine="vllm", backend="Template", mode="Sidecar", replicas=3, scaling={"mode": "Direct"})
    return EndpointView(
        namespace="retail",
        name="chat",
        need="NeedsYou",
        told_ms=NOW_MS - 8_000,
        facts=facts,
        status=status,
        row=lead,
        checks=found,
        rights=("Numbers", "Text", "Label", "Silence", "Audit"),
        kept=2_910,
    )


def history(points: int = 288, span_ms: int = DAY_MS) -> EndpointHistory:
    """Return a day of `chat`: busy by day, not watched for three quarters of an hour, worse since its roll-out."""
    line = Timeline(NOW_MS - span_ms, NOW_MS)
    step = span_ms // points
    starts = tuple(line.from_ms + index * step for index in range(points))
    gap = range(points * 146 // 288, points * 155 // 288)
    seen = tuple(0.0 if index in gap else 1.0 for index in range(points))
    dice = random.Random(20261127)
    load = [_load(index / points, dice) for index in range(points)]
    late = points * 224 // 288

    def column(*values: float) -> tuple[float | None, ...]:
        return tuple(value if share else None for value, share in zip(values, seen, strict=True))

    minutes = step / MINUTE
    roll = [1 if late <= index < late + points // 36 else 0 for index in range(points)]
    outcomes = {
        "ok": column(*(round(210 * one * minutes) for one in load)),
        "cancelled": column(*(round(4 * one * minutes * dice.random() * 2) for one in load)),
        "client_error": column(*(round(2.5 * one * minutes * (1 + dice.random())) for one in load)),
        "overload": column(*(flag * dice.uniform(14, 30) * minutes for flag in roll)),
        "error": column(*(flag * dice.uniform(8, 22) * minutes for flag in roll)),
    }
    p95 = [
        0.19 + 0.2 * one + 0.75 * flag * dice.uniform(0.6, 1) + dice.gauss(0, 0.014)
        for one, flag in zip(load, roll, strict=True)
    ]
    latency = {
        "p50": column(*(0.095 + 0.08 * one + 0.06 * flag for one, flag in zip(load, roll, strict=True))),
        "p95": column(*p95),
        "p99": column(*(one * 1.45 + abs(dice.gauss(0, 0.06)) for one in p95)),
    }
    tokens = {
        "input": column(*(210 * one * 21 * minutes for one in load)),
        "output": column(*(210 * one * 14 * minutes for one in load)),
    }
    ready = column(*(1.0 if one < 0.3 else 2.0 if one < 0.7 else 3.0 for one in load))
    hourly = 24
    return EndpointHistory(
        line=line,
        outcomes=Track(starts, step, seen, outcomes),
        first_token=Track(starts, step, seen, latency),
        tokens=Track(starts, step, seen, tokens),
        cost=_cost(line, hourly, seen),
        replicas=Track(starts, step, seen, {"ready": ready, "desired": ready}),
        quality=(_quality(line, seen),),
        health=(
            (line.from_ms, starts[gap.start], "Healthy"),
            (starts[gap.stop], NOW_MS - 207 * MINUTE, "Healthy"),
            (NOW_MS - 207 * MINUTE, NOW_MS, "Degraded"),
        ),
        marks=(
            Mark(NOW_MS - 1095 * MINUTE, "Policy", "policy banking 4"),
            Mark(NOW_MS - 320 * MINUTE, "Revision", "revision 7f9c4d"),
            Mark(NOW_MS - 207 * MINUTE, "Alert", "alert"),
            Mark(NOW_MS - 980 * MINUTE, "Scale", "down 2→1: UsageBelowCapacity"),
            Mark(NOW_MS - 480 * MINUTE, "Scale", "up 1→2: Growth"),
            Mark(NOW_MS - 350 * MINUTE, "Scale", "up 2→3: UsageAboveCapacity"),
        ),
        currency="EUR",
        limits={"first_token": (0.8, 95)},
    )


def _load(part: float, dice: random.Random) -> float:
    hour = (14.5 + 24 * part) % 24
    return (
        0.06 + 0.94 / (1 + math.exp(-1.1 * (hour - 8.5))) / (1 + math.exp(0.9 * (hour - 18.5))) + dice.gauss(0, 0.012)
    )


def _cost(line: Timeline, slots: int, seen: Sequence[float]) -> Track:
    step = line.span_ms // slots
    per = len(seen) // slots
    covered = tuple(sum(seen[index * per : (index + 1) * per]) / per for index in range(slots))
    costs = tuple(0.84 * (3 if index < 5 or index > 18 else 1) * one for index, one in enumerate(covered))
    return Track(tuple(line.from_ms + step * index for index in range(slots)), step, covered, {"cost": costs})


def _quality(line: Timeline, seen: Sequence[float]) -> QualityTrack:
    step, slots = line.span_ms // 24, 24
    dice = random.Random(7)
    values: list[float] = [0.052 + dice.uniform(-0.014, 0.014) for _ in range(19)] + [0.18, 0.33, 0.34, 0.31, 0.32]
    low = [max(one - (0.025 if one < 0.1 else 0.09), 0.002) for one in values]
    high = [one + (0.035 if one < 0.1 else 0.11) for one in values]

    def column(numbers: Sequence[float]) -> tuple[float | None, ...]:
        return tuple(None if index == 12 else one for index, one in enumerate(numbers))

    starts = tuple(line.from_ms + step * index for index in range(slots))
    shares = tuple(0.0 if index == 12 else 1.0 for index in range(slots))
    track = Track(
        starts,
        step,
        shares,
        {"value": column(values), "low": column(low), "high": column(high), "n": column([68.0] * slots)},
    )
    limits = (DrawnLimit(line.from_ms, 0.15), DrawnLimit(NOW_MS - 1095 * MINUTE, 0.1))
    return QualityTrack("stays-on-topic", "share off topic", track, limits, cause=True)
