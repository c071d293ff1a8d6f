"""An endpoint's checks as a table: what failed first, then what is undecided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelward.api.check_status import ErrorBudgetStatus, EvaluationBudgetStatus
from modelward.api.views import CheckView, EndpointView
from modelward.console.pages.budget import DrawnBudget, error_budget
from modelward.console.pages.check import DrawnBar, bar_of, interval_text, samples_text, spaced, word_of


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check in the table."""

    name: str
    kind: str
    verdict: str
    word: str
    reason: str
    message: str
    value: str
    interval: str
    bar: DrawnBar
    limit: str
    samples: str
    over: str
    budget: DrawnBudget | None


def check_rows(view: EndpointView) -> tuple[CheckRow, ...]:
    """Return the rows, each check with its error budget."""
    budgets: dict[tuple[str, str, str], ErrorBudgetStatus | EvaluationBudgetStatus] = {
        ("Objective", one.policy, one.objective): one for one in view.status.budgets
    }
    budgets |= {("Evaluation", one.policy, one.evaluation): one for one in view.status.evaluation_budgets}
    return tuple(_check(one, budgets.get((one.kind, one.policy, one.name))) for one in _ordered(view.checks))


def _ordered(checks: Sequence[CheckView]) -> list[CheckView]:
    """Return what failed first, then what is undecided, evaluations before objectives."""
    order = {"Failed": 0, "Unknown": 1, "Passed": 2}
    return sorted(checks, key=lambda one: (order[one.verdict], one.kind == "Objective", one.policy, one.name))


def _check(check: CheckView, budget: ErrorBudgetStatus | EvaluationBudgetStatus | None) -> CheckRow:
    what = check.metric or check.evaluator
    kind = f"{what} · {check.policy}" if what else check.policy
    return CheckRow(
        name=check.name,
        kind=kind,
        verdict=check.verdict,
        word=word_of(check),
        reason=check.reason,
        message=check.message,
        value=spaced(check.value) or "–",
        interval=interval_text(check),
        bar=bar_of(check, 176),
        limit=spaced(check.limit),
        samples=samples_text(check),
        over=check.over,
        budget=error_budget(budget),
    )
