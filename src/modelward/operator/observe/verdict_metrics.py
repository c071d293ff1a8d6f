"""The verdict series: conditions, rates with their bounds, samples and replicas of every endpoint, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from modelward.api.budget import COST_UNITS
from modelward.api.llmendpoint import LLMEndpointStatus
from modelward.api.quantity import shown_number
from modelward.api.usage import Prices
from modelward.desired.alert_way import way_of_check
from modelward.status.checks import CONDITION, Check

_CONDITION = {"True": 1.0, "False": 0.0, "Unknown": -1.0}
_VERDICT = {"Passed": 1.0, "Failed": 0.0, "Unknown": -1.0}
_HEALTH = ("Healthy", "Degraded", "Unhealthy", "Unknown")


class VerdictMetrics(Collector):
    """Rendered from the statuses as they are at a scrape: no series outlives its endpoint."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._statuses: dict[tuple[str, str], LLMEndpointStatus] = {}
        self._checks: dict[tuple[str, str], tuple[Check, ...]] = {}
        self._ways: dict[tuple[str, str], Mapping[str, str]] = {}
        self._own_ways: dict[tuple[str, str], Mapping[str, str]] = {}
        self._prices: dict[tuple[str, str], Prices | None] = {}
        self._brake = False
        registry.register(self)

    def endpoint(
        self,
        namespace: str,
        name: str,
        status: LLMEndpointStatus,
        checks: Iterable[Check] = (),
        prices: Prices | None = None,
        ways: Mapping[str, str] = MappingProxyType({}),
        own_ways: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Remember the newest status of an endpoint, written or not, the checks behind it, and what its tokens cost.

        `ways` says by policy which way its alerts go out, `own_ways` by alert those of the endpoint itself.
        """
        self._ways[namespace, name] = ways
        self._own_ways[namespace, name] = own_ways
        self._prices[namespace, name] = prices
        self._statuses[namespace, name] = status
        self._checks[namespace, name] = tuple(checks)

    def forget(self, namespace: str, name: str) -> None:
        """Drop the series of an endpoint that is gone."""
        self._statuses.pop((namespace, name), None)
        self._checks.pop((namespace, name), None)
        self._prices.pop((namespace, name), None)
        self._ways.pop((namespace, name), None)
        self._own_ways.pop((namespace, name), None)

    def orphan_brake(self, on: bool) -> None:
        """Note whether the orphan brake holds."""
        self._brake = on

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families; called by prometheus_client for each scrape, in a thread of its own."""
        yield from self._conditions()
        yield from self._evaluations()
        yield self._objectives()
        yield from self._verdicts("objective", "modelward_objective_verdict", "modelward_objective_info")
        yield from self._verdicts("evaluation", "modelward_evaluation_verdict", "modelward_evaluation_info")
        yield self._budgets()
        yield self._evaluation_budgets()
        yield self._endpoint_alerts()
        yield from self._usage()
        yield self._token_prices()
        yield from self._replicas()
        brake = GaugeMetricFamily("modelward_orphan_brake", "1 while too many adopted workloads look orphaned at once")
        brake.add_metric([], float(self._brake))
        yield brake

    def _conditions(self) -> Iterator[GaugeMetricFamily]:
        conditions = GaugeMetricFamily(
            "modelward_condition", "1 True, 0 False, -1 Unknown", labels=["namespace", "endpoint", "condition"]
        )
        health = GaugeMetricFamily("modelward_health", "1 for the health that holds", labels=[*_ENDPOINT, "health"])
        for (namespace, name), status in tuple(self._statuses.items()):
            for condition in status.conditions:
                conditions.add_metric([namespace, name, condition.type], _CONDITION[condition.status])
            for mood in _HEALTH:
                health.add_metric([namespace, name, mood], float(status.health == mood))
        yield conditions
        yield health

    def _evaluations(self) -> Iterator[GaugeMetricFamily]:
        labels = [*_ENDPOINT, "policy", "evaluation"]
        rate = GaugeMetricFamily("modelward_evaluation_rate", "Corrected rate, 0 to 1", labels=labels)
        low = GaugeMetricFamily("modelward_evaluation_rate_low", "Lower 95 % bound of the rate", labels=labels)
        high = GaugeMetricFamily("modelward_evaluation_rate_high", "Upper 95 % bound of the rate", labels=labels)
        samples = GaugeMetricFamily("modelward_evaluation_samples", "Judged exchanges behind the rate", labels=labels)
        for (namespace, name), status in tuple(self._statuses.items()):
            for one in status.evaluations:
                values = [namespace, name, one.policy, one.name]
                samples.add_metric(values, one.samples)
                for family, text in ((rate, one.rate), (low, one.low), (high, one.high)):
                    if text:
                        family.add_metric(values, shown_number(text))
        yield from (rate, low, high, samples)

    def _objectives(self) -> GaugeMetricFamily:
        labels = [*_ENDPOINT, "policy", "objective"]
        family = GaugeMetricFamily("modelward_objective_value", "Seconds, or 0 to 1 for rates", labels=labels)
        for (namespace, name), status in tuple(self._statuses.items()):
            for one in status.metrics:
                if one.value:
                    family.add_metric([namespace, name, one.policy, one.name], shown_number(one.value))
        return family

    def _verdicts(self, kind: str, verdict_name: str, info_name: str) -> Iterator[GaugeMetricFamily]:
        labels = [*_ENDPOINT, "policy", kind]
        verdict = GaugeMetricFamily(verdict_name, "1 Passed, 0 Failed, -1 Unknown", labels=labels)
        told = "Always 1; the policy's severity, the condition that the check moves, and which way its alerts go"
        info = GaugeMetricFamily(info_name, told, labels=[*labels, "severity", "condition", "via"])
        for (namespace, name), checks in tuple(self._checks.items()):
            ways = self._ways.get((namespace, name), {})
            for check in checks:
                if (check.concern == "Objectives") == (kind == "objective"):
                    values = [namespace, name, check.policy, check.name]
                    verdict.add_metric(values, _VERDICT[check.verdict])
                    via = way_of_check(ways.get(check.policy, "Chart"), check.severity)
                    info.add_metric([*values, check.severity, CONDITION[check.concern], via], 1.0)
        yield from (verdict, info)

    def _budgets(self) -> GaugeMetricFamily:
        told = "What is left of an error budget, 1 to below 0; absent where too little of the period was watched"
        family = GaugeMetricFamily(
            "modelward_error_budget_remaining_ratio", told, labels=[*_ENDPOINT, "policy", "objective"]
        )
        for (namespace, name), status in tuple(self._statuses.items()):
            for one in status.budgets:
                if one.remaining:
                    family.add_metric([namespace, name, one.policy, one.objective], _signed(one.remaining))
        return family

    def _evaluation_budgets(self) -> GaugeMetricFamily:
        told = "The same of an evaluation, estimated from scored answers: the value, and the ends of its 95% interval"
        family = GaugeMetricFamily(
            "modelward_evaluation_budget_remaining_ratio", told, labels=[*_ENDPOINT, "policy", "evaluation", "bound"]
        )
        for (namespace, name), status in tuple(self._statuses.items()):
            for one in status.evaluation_budgets:
                bounds = {"value": one.remaining, "low": one.low, "high": one.high}
                for bound, text in bounds.items() if one.remaining else ():
                    family.add_metric([namespace, name, one.policy, one.evaluation, bound], _signed(text))
        return family

    def _endpoint_alerts(self) -> GaugeMetricFamily:
        told = "Always 1; which way each alert goes that is about the endpoint itself: Direct where a policy routes it"
        family = GaugeMetricFamily("modelward_endpoint_info", told, labels=[*_ENDPOINT, "alert", "via"])
        for (namespace, name), ways in tuple(self._own_ways.items()):
            for alert, via in ways.items():
                family.add_metric([namespace, name, alert, via], 1.0)
        return family

    def _usage(self) -> Iterator[GaugeMetricFamily]:
        families = {
            field: GaugeMetricFamily(metric, f"{what}, over 5 minutes", labels=_ENDPOINT)
            for field, metric, what in _USAGE
        }
        for (namespace, name), status in tuple(self._statuses.items()):
            for field, family in families.items():
                if text := getattr(status.usage, field, ""):
                    family.add_metric([namespace, name], shown_number(text))
        yield from families.values()

    def _token_prices(self) -> GaugeMetricFamily:
        labels = [*_ENDPOINT, "model", "gen_ai_token_type", "currency"]
        family = GaugeMetricFamily("modelward_token_price", "What one token costs, by spec.usage.prices", labels=labels)
        for (namespace, name), prices in tuple(self._prices.items()):
            for model in [one.model for one in prices.models] if prices else []:
                if prices and (cost := prices.of(model)):
                    cached = cost.input if cost.cached is None else cost.cached
                    for kind, units in (("input", cost.input), ("cached_input", cached), ("output", cost.output)):
                        family.add_metric([namespace, name, model, kind, cost.currency], units / COST_UNITS)
        return family

    def _replicas(self) -> Iterator[GaugeMetricFamily]:
        replicas = GaugeMetricFamily("modelward_replicas", "Ready replicas", labels=_ENDPOINT)
        desired = GaugeMetricFamily("modelward_replicas_desired", "What the scaler wants", labels=_ENDPOINT)
        for (namespace, name), status in tuple(self._statuses.items()):
            replicas.add_metric([namespace, name], status.ready_replicas)
            if status.scaling is not None and status.scaling.desired is not None:
                desired.add_metric([namespace, name], status.scaling.desired)
        yield from (replicas, desired)


_ENDPOINT = ["namespace", "endpoint"]
_USAGE = (
    ("requests_per_minute", "modelward_usage_requests_per_minute", "Requests a minute"),
    ("input_tokens_per_minute", "modelward_usage_input_tokens_per_minute", "Input tokens a minute"),
    ("output_tokens_per_minute", "modelward_usage_output_tokens_per_minute", "Output tokens a minute"),
    ("first_token_p95", "modelward_usage_first_token_p95_seconds", "95th percentile of the time to first token"),
    ("error_rate", "modelward_usage_error_ratio", "Share of requests that the endpoint failed, 0 to 1"),
)
"""Fields of `status.usage`: what the operator reads itself, in every collector mode."""


def _signed(text: str) -> float:
    """Return a share as status shows it, which is below 0 where more was spent than there was."""
    return -shown_number(text[1:]) if text.startswith("-") else shown_number(text)
