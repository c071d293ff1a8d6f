"""Endpoints, pods, checks and readings that the tests of `modelward.status` share."""

from __future__ import annotations

from typing import Any

from modelward.api.evaluation import Counts, EvaluatorFacts, Example, WindowResult
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.policy_evaluation import Evaluation
from modelward.api.policy_objective import PolicyObjective
from modelward.desired.evaluators import ResolvedEvaluator
from modelward.desired.monitoring_plan import BoundEvaluation, BoundObjective
from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import History
from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.collector import CollectorReason
from modelward.reasons.metrics import MetricsReason
from modelward.reasons.workload import WorkloadReason
from modelward.status.checks import Check
from modelward.status.conditions import ConditionState

NOW_MS = 1_795_480_000_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
ACCEPTED = ConditionState("Accepted", "True", AcceptedReason.VALID)
SERVING = ConditionState("WorkloadReady", "True", WorkloadReason.SERVING, "3 of 3 replicas ready")
SEEN = ConditionState("CollectorReady", "True", CollectorReason.SEES_TRAFFIC)
FRESH = ConditionState("MetricsAvailable", "True", MetricsReason.FRESH)


def endpoint(status: dict[str, Any] | None = None, generation: int = 3) -> LLMEndpoint:
    """Build the endpoint `retail/chat`, with the status that it had before."""
    metadata = {"name": "chat", "namespace": "retail", "uid": "u", "generation": generation}
    spec = {"backend": {"template": {"image": "llama", "port": 8080}}}
    return LLMEndpoint.model_validate({"metadata": metadata, "spec": spec, "status": status or {}})


def check(verdict: Any = "Passed", severity: Any = "Warning", concern: Any = "Quality", **more: Any) -> Check:
    """Build a check of policy `baseline`."""
    values = {"policy": "baseline", "name": "topic", "reason": "BelowLimit", "message": "1% (0-3) < 10%, n=140", **more}
    return Check(concern=concern, severity=severity, verdict=verdict, **values)


def pod(name: str = "chat-1", *, ready: bool = True, sidecar: bool | None = True, **status: Any) -> dict[str, Any]:
    """Build a running pod; `sidecar` tells whether its collector is ready, None whether it has none."""
    inits = [] if sidecar is None else [{"name": "modelward-collector"}]
    statuses = [{"name": "modelward-collector", "ready": sidecar, "state": {}}] if sidecar is not None else []
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": "2026-11-24T00:00:00Z",
            "labels": {"pod-template-hash": f"hash-of-{name}"},
        },
        "spec": {"initContainers": inits, "containers": [{"name": "model"}]},
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "initContainerStatuses": statuses,
            **status,
        },
    }


def waiting(reason: str, name: str = "model") -> list[dict[str, Any]]:
    """Build the statuses of a container that waits."""
    return [{"name": name, "ready": False, "state": {"waiting": {"reason": reason, "message": "why it does"}}}]


def history(
    totals: dict[Signal, float] | None = None,
    latencies: dict[Signal, Histogram] | None = None,
    *,
    pods: tuple[str, ...] = ("chat-1",),
    until_ms: int = NOW_MS,
) -> History:
    """Build ten minutes of readings, in which every pod gained these totals and latencies evenly."""
    found = History()
    for name in pods:
        for minute in range(11):
            at_ms, factor = until_ms - (10 - minute) * MINUTE_MS, minute / 10
            counters = {SignalKey(signal): value * factor for signal, value in (totals or {}).items()}
            histograms = {SignalKey(signal): _scaled(hist, factor) for signal, hist in (latencies or {}).items()}
            found.add(Snapshot(name, at_ms, "collector", counters=counters, histograms=histograms))
    return found


def latency(fast: int, slow: int) -> Histogram:
    """Build a latency histogram: `fast` within 0.1 s, `slow` between 1 s and 2 s."""
    total = float(fast + slow)
    return Histogram((0.1, 1.0, 2.0), (float(fast), float(fast), total), total, total)


def _scaled(found: Histogram, factor: float) -> Histogram:
    counts = tuple(count * factor for count in found.counts)
    return Histogram(found.bounds, counts, found.sum * factor, found.count * factor)


def objective(metric: str = "TimeToFirstToken", **more: Any) -> BoundObjective:
    """Bind an objective of policy `baseline`: 800 ms, or 1 % for a rate."""
    limit = {"maxRate": "1%"} if metric.endswith("Rate") else {"maxDuration": "800ms"}
    asked = {"name": "asked", "metric": metric, **limit, **more}
    return BoundObjective("baseline", PolicyObjective.model_validate(asked))


def evaluation(problem: Any = None, **more: Any) -> BoundEvaluation:
    """Bind an evaluation of policy `baseline`: over an hour, at most 10 %."""
    asked = {"name": "topic", "check": {"builtin": "OffTopicAnswered"}, "failAbove": "10%", **more}
    facts = EvaluatorFacts("OffTopicAnswered", "1.0.0")
    found = ResolvedEvaluator("builtin", "OffTopicAnswered", {}, facts)
    return BoundEvaluation("baseline", Evaluation.model_validate(asked), found, problem)


def counts(samples: int, flagged: int, failed: int = 0) -> Counts:
    """Build the scores of exchanges that were all sampled with certainty."""
    return Counts(samples, flagged, 0, failed, float(samples), float(samples), float(flagged))


def result(scored: Counts | None, *, to_ms: int = NOW_MS, revision: str = "r1", reason: str = "") -> WindowResult:
    """Build the result of the quarter of an hour that ended at `to_ms`."""
    return WindowResult(
        namespace="retail",
        endpoint="chat",
        policy="baseline",
        evaluation="topic",
        from_ms=to_ms - 15 * MINUTE_MS,
        to_ms=to_ms,
        run=f"run-{to_ms}",
        evaluator=EvaluatorFacts("OffTopicAnswered", "1.0.0"),
        revisions={revision: scored} if scored else {},
        examples={revision: (Example("e1", "off-topic"),)} if scored and scored.flagged else {},
        reason=reason,
    )
