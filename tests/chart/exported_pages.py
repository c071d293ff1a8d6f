"""An hour of the pages that an operator, a collector and a hub export, made by their own code of traffic."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client import generate_latest

from modelward.api.budget import BudgetLimits, BudgetState, Spend
from modelward.api.check_status import ErrorBudgetStatus, EvaluationStatus, MetricStatus
from modelward.api.collector_config import CallerSettings, PriceSettings
from modelward.api.endpoint_status import UsageStatus
from modelward.api.exchange import Usage
from modelward.api.llmendpoint import LLMEndpoint, LLMEndpointStatus, ScalingStatus
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.collector import families
from modelward.collector.families import FAMILIES
from modelward.collector.metrics_recorder import MetricsRecorder, observe
from modelward.collector.rendering import render
from modelward.collector.shared_metrics import SharedMetrics, new_board_fd
from modelward.desired.monitoring_plan import BoundObjective, MonitoringPlan
from modelward.hub.metrics import HubMetrics
from modelward.metrics.collector_page import snapshot_from_collector
from modelward.metrics.exposition import parse
from modelward.metrics.window import History
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.hub.budgets import BudgetFeed
from modelward.operator.observe.budget_metrics import BudgetMetrics
from modelward.operator.observe.endpoint_metrics import EndpointMetrics
from modelward.operator.runtime.telemetry import Telemetry
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason
from modelward.status.checks import Check
from modelward.status.conditions import ConditionState, settle

PRICES = {
    "currency": "USD",
    "models": [{"model": "m", "perMillionInputTokens": "2.50", "perMillionCachedInputTokens": "1.25",
                "perMillionOutputTokens": "10"}],
}  # fmt: skip
POLICY = MonitoringPolicy.model_validate(
    {
        "metadata": {"name": "p", "namespace": "retail", "uid": "u"},
        "spec": {
            "endpointSelector": {},
            "objectives": [
                {"name": "errors", "metric": "ErrorRate", "maxRate": "1%", "severity": "Critical",
                 "budget": {"period": "672h"}},
                {"name": "first", "metric": "TimeToFirstToken", "maxDuration": "800ms"},
            ],
            "budget": {"judgeTokensPerDay": 100_000, "costPerDay": {"amount": "1", "currency": "USD"}},
        },
    }
)  # fmt: skip
ENDPOINT = LLMEndpoint.model_validate(
    {
        "metadata": {"name": "chat", "namespace": "retail"},
        "spec": {
            "backend": {"external": {"url": "https://api.example.com"}},
            "usage": {"prices": PRICES, "callers": {"header": "x-team"}},
        },
    }
)
_CONDITIONS = {
    "Ready": "True", "ObjectivesMet": "False", "QualityHealthy": "False", "SafetyHealthy": "True",
    "MetricsAvailable": "True", "CollectorReady": "True",
}  # fmt: skip


@dataclass(slots=True)
class Pages:
    """Call `pass_time` for each step, then read `lines`."""

    _fd: int = field(default_factory=lambda: new_board_fd("pages"))
    _recorder: MetricsRecorder = field(init=False)
    _telemetry: Telemetry = field(default_factory=Telemetry)
    _series: EndpointMetrics = field(init=False)
    _budgets: BudgetFeed = field(default_factory=BudgetFeed)
    _hub: HubMetrics = field(default_factory=lambda: HubMetrics(lambda: 7.0, lambda: 7.0))
    _history: History = field(default_factory=History)
    _step: int = 0

    def __post_init__(self) -> None:
        self._recorder = MetricsRecorder(SharedMetrics(self._fd), "r1")
        prices = ENDPOINT.spec.prices
        assert prices is not None
        self._recorder.callers.configure(CallerSettings("x-team", 5), PriceSettings(prices.by_model))
        self._series = EndpointMetrics(self._telemetry.registry)
        BudgetMetrics(self._telemetry.registry, self._budgets)

    def close(self) -> None:
        """Let go of the board."""
        os.close(self._fd)

    def pass_time(self, at_ms: int) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Let some requests pass; yield the three pages with what a PodMonitor adds to their series."""
        self._step += 1
        for n in range(20):
            self._request(n)
        engine = {"modelward_engine_requests_waiting": 2.0, "modelward_engine_kv_cache_usage_ratio": 0.5}
        page = render(self._recorder.board.read(), engine, "r1", "chat")
        self._operate(page, at_ms)
        self._work()
        operator = generate_latest(self._telemetry.registry).decode()
        yield operator, "modelward-operator", {}
        yield page, "modelward-collector", {"namespace": "retail"}
        yield self._hub.render().decode(), "modelward-hub", {}

    def _request(self, n: int) -> None:
        failed = n % 4 == 0
        status, usage = (500, Usage()) if failed else (200, Usage(1_000, 200, 500))
        cells = self._recorder.model("m", 200)
        self._recorder.finished("m", "chat", status, "error" if failed else "ok", 0.5)
        for cell, name, value in (
            (cells.ttft, families.TTFT, 0.3 + n / 20),
            (cells.tpot, families.TPOT, 0.02),
            (cells.inter_chunk, families.INTER_CHUNK, 0.02),
            (cells.input_tokens, families.TOKENS, usage.input_tokens or 0),
            (cells.output_tokens, families.TOKENS, usage.output_tokens or 0),
        ):
            observe(cell, FAMILIES[name].bounds, value)
        cells.cached_tokens[0] += usage.cached_input_tokens or 0
        self._recorder.asked_by(b"team-%d" % (n % 3), status, "m", usage)
        self._recorder.asked_by(b"team-0", 200, "other", usage)
        for name, *labels in (
            (families.STARTED, "r1"),
            (families.CAPTURED,),
            (families.DROPPED, "hub"),
            (families.MARKED_REQUESTS, "judge", "r1", "200", "ok"),
        ):
            self._recorder.count(name, *labels)

    def _operate(self, page: str, at_ms: int) -> None:
        """Read the collector's page as the operator does, and tell what comes of it."""
        self._history.add(snapshot_from_collector(parse(page.encode()), "chat-0", at_ms))
        bound = tuple(BoundObjective("p", objective) for objective in POLICY.spec.objectives)
        known, plan = Gathered(ENDPOINT, {}, (POLICY,), {}, allow_raw=False), MonitoringPlan(objectives=bound)
        self._series.count(known, plan, self._history, at_ms)
        self._series.endpoint(known, plan, _status(at_ms), _checks())
        self._series.spend.of(POLICY, ["chat"], at_ms)
        tokens = 100 * self._step
        self._budgets.limits = {("retail", "p"): BudgetLimits(tokens=100_000)}
        state = BudgetState("retail", "p", at_ms // 86_400_000, Spend(tokens), evaluators={"tone": tokens})
        self._budgets.states = {("retail", "p"): state}

    def _work(self) -> None:
        """Count work of the operator and the hub."""
        told = self._telemetry
        told.leader.labels(name="modelward").set(1)
        told.reconciles.labels(controller="endpoint", result="success").inc()
        told.reconcile_time.labels(controller="endpoint").observe(0.01)
        told.queue.observe_depth("spec", lambda: 1.0)
        told.queue.waited.labels(name="spec").observe(0.01)
        told.observe_request("GET", "200")
        told.observe_hints("LLMEndpoint", lambda: 3.0)
        self._hub.exchanges.labels("stored").inc()
        self._hub.errors.labels("too_large").inc()


def _status(at_ms: int) -> LLMEndpointStatus:
    states = [ConditionState(name, status, Reason("R")) for name, status in _CONDITIONS.items()]  # type: ignore[arg-type]
    return LLMEndpointStatus(
        health="Degraded",
        ready_replicas=2,
        scaling=ScalingStatus(desired=3),
        usage=UsageStatus(
            requests_per_minute="40", input_tokens_per_minute="900", output_tokens_per_minute="300",
            first_token_p95="800ms", error_rate="25%",
        ),
        metrics=(MetricStatus(policy="p", name="errors", verdict="Failed", value="25%"),),
        evaluations=(
            EvaluationStatus(
                policy="p", name="topic", verdict="Failed", rate="31%", low="24%", high="39%", samples=140
            ),
        ),
        budgets=(ErrorBudgetStatus(policy="p", objective="errors", remaining="-20%"),),
        conditions=settle(states, (), 1, at_ms),
    )  # fmt: skip


def _checks() -> tuple[Check, ...]:
    return (
        Check("p", "errors", "Objectives", "Critical", "Failed", CheckReason.ABOVE_LIMIT),
        Check("p", "first", "Objectives", "Warning", "Unknown", CheckReason.NO_TRAFFIC),
        Check("p", "topic", "Quality", "Warning", "Failed", CheckReason.ABOVE_LIMIT),
    )
