"""The error budgets of one endpoint's checks, as its status shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelward.api.check_status import ErrorBudgetStatus, EvaluationBudgetStatus
from modelward.api.endpoint_status import MAX_CHECKS
from modelward.api.evaluation import WindowResult
from modelward.api.quantity import duration_ms
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.hub.feed import HubFeed
from modelward.operator.observe.endpoint_metrics import EndpointMetrics
from modelward.status.burn import burn_of
from modelward.status.error_budget import error_budget
from modelward.status.evaluation_budget import evaluation_budget

Windows = Mapping[tuple[str, str], Sequence[WindowResult]]
"""Results by policy and evaluation."""


@dataclass(frozen=True, slots=True)
class ErrorBudgets:
    """What the hub says of periods, and this process of how fast budgets burn."""

    hub: HubFeed
    series: EndpointMetrics

    def of(self, known: Gathered, asked: MonitoringPlan, windows: Windows, now_ms: int) -> Mapping[str, Any]:
        """Return the fields of status; most endpoints have none."""
        budgets = [one.objective.budget for one in asked.objectives]
        budgets += [one.evaluation.budget for one in asked.evaluations]
        mark = self._mark(known.key, windows) if any(budgets) else 0.0
        return {
            "budgets": self._objectives(known, asked, mark, now_ms),
            "evaluation_budgets": self._evaluations(known, asked, windows, mark, now_ms),
        }

    def _mark(self, endpoint: str, windows: Windows) -> float:
        """Return a number that grows with what objectives count and with windows that are scored."""
        newest = (max((one.to_ms for one in found), default=0) for found in windows.values())
        return sum(one.events for one in self.series.ledger.of(endpoint).values()) + sum(newest)

    def _objectives(
        self, known: Gathered, asked: MonitoringPlan, mark: float, now_ms: int
    ) -> tuple[ErrorBudgetStatus, ...]:
        before = {(one.policy, one.objective): one for one in known.endpoint.status.budgets}
        self.series.burns.refill(known.key, self.hub.burns.take(known.key))
        rows = []
        for bound in asked.objectives[:MAX_CHECKS]:
            key, budget = (bound.policy, bound.objective.name), bound.objective.budget
            if budget is not None:
                period = self.hub.periods.sums(known.key, duration_ms(budget.period), *key, mark)
                whole = self.hub.knows_burns(known.key)
                burn = burn_of(bound.objective, self.series.burns.of(known.key, key), now_ms, whole=whole)
                rows.append(error_budget(bound, period, burn, before.get(key), now_ms))
        return tuple(row for row in rows if row is not None)

    def _evaluations(
        self, known: Gathered, asked: MonitoringPlan, windows: Windows, mark: float, now_ms: int
    ) -> tuple[EvaluationBudgetStatus, ...]:
        before = {(one.policy, one.evaluation): one for one in known.endpoint.status.evaluation_budgets}
        rows = []
        for bound in asked.evaluations[:MAX_CHECKS]:
            key, budget = (bound.policy, bound.evaluation.name), bound.evaluation.budget
            if budget is not None:
                found = self.hub.periods.scored(known.key, duration_ms(budget.period), *key, mark)
                newest = max(windows.get(key, ()), key=lambda one: one.to_ms, default=None)
                facts = newest.evaluator if newest else None
                rows.append(evaluation_budget(bound, found, facts, before.get(key), now_ms))
        return tuple(row for row in rows if row is not None)
