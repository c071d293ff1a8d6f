"""What the endpoints of a policy have cost in this day and month, and whether that is within its budget of money."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from modelward.api.budget import COST_UNITS, day_of
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.policy_budget import SpendLimit
from modelward.api.policy_status import SpendStatus
from modelward.api.quantity import PPM, money_millionths, money_text
from modelward.reasons.policy import BudgetReason
from modelward.reasons.reason import Reason
from modelward.status.conditions import ConditionState

_UNITS = COST_UNITS // PPM
_EPOCH = date(1970, 1, 1)
_SUM = re.compile(r"[0-9]{1,20}(\.[0-9]{1,6})?")
_SEVERITY = {"False": 0, "Unknown": 1, "True": 2}


@dataclass(frozen=True, slots=True)
class EndpointSpend:
    """What was spent, in units of cost of one currency, on a day (days since 1970, UTC) and in its month up to then.

    `unknown` names what of the month is in neither; `why` is its reason.
    """

    day: int
    of_day: int = 0
    of_month: int = 0
    currency: str = ""
    unknown: str = ""
    why: Reason | None = None

    def at(self, now_ms: int) -> EndpointSpend:
        """Return it as it stands at a time: another day, or another month, begins at nothing."""
        day = day_of(now_ms)
        if day == self.day:
            return self
        if _month(day) == _month(self.day):
            return replace(self, day=day, of_day=0)
        return EndpointSpend(day, currency=self.currency)

    def plus(self, units: int) -> EndpointSpend:
        """Return it with a cost added."""
        return replace(self, of_day=self.of_day + units, of_month=self.of_month + units)

    def of(self, period: str) -> int:
        """Return what was spent in a period: Day or Month."""
        return self.of_day if period == "Day" else self.of_month


def spending_in(status: SpendStatus | None) -> EndpointSpend | None:
    """Return what a status says was spent; None where it never said, or cannot be read."""
    if status is None:
        return None
    try:
        day = (date.fromisoformat(status.day) - _EPOCH).days
        of_day, of_month = (_units(text) if text else 0 for text in (status.cost_of_day, status.cost_of_month))
    except ValueError:
        return None
    why = BudgetReason.PRICE_UNKNOWN if status.unknown else None
    return EndpointSpend(day, of_day, of_month, status.currency, status.unknown, why)


def spend_status(policy: MonitoringPolicy, spending: EndpointSpend | None) -> SpendStatus | None:
    """Return what the status says; None where the policy has no budget of money.

    Where nothing was spent since, it stays with the day on which something was: an idle endpoint writes nothing.
    """
    budget = policy.spec.budget
    if budget is None or not budget.spend_limits or spending is None:
        return None
    before = policy.status.spend
    known = spending_in(before)
    if known is not None and not spending.of_day and _same(known, spending):
        return before
    return SpendStatus(
        day=(_EPOCH + timedelta(days=spending.day)).isoformat(),
        cost_of_day=_text(spending.of_day),
        cost_of_month=_text(spending.of_month),
        currency=spending.currency,
        unknown=spending.unknown,
    )


def spend_condition(
    policy: MonitoringPolicy, endpoints: Sequence[LLMEndpoint], spending: EndpointSpend | None
) -> tuple[ConditionState, ...]:
    """Return WithinBudget of the budget of money, where there is one.

    What is known to be spent is enough to be over it; to be within it takes all prices and all numbers.
    """
    budget = policy.spec.budget
    if budget is None or not budget.spend_limits or spending is None:
        return ()
    numbers = []
    for period, limit in budget.spend_limits:
        most = limit_units(limit)
        words = "today" if period == "Day" else "this month"
        numbers.append(f"{_text(spending.of(period))} of {limit.amount} {limit.currency} spent {words}")
        if spending.of(period) >= most:
            return (ConditionState("WithinBudget", "False", BudgetReason.OVER_BUDGET, numbers[-1]),)
    told = ", ".join(numbers)
    if spending.unknown:
        why, message = spending.why or BudgetReason.PRICE_UNKNOWN, f"{told}; not in it: {spending.unknown}"
        return (ConditionState("WithinBudget", "Unknown", why, message),)
    silent = [one.metadata.name for one in endpoints if not _measured(one)]
    if silent:
        message = f"{told}; there are no fresh numbers of {', '.join(silent[:3])}"
        return (ConditionState("WithinBudget", "Unknown", BudgetReason.NUMBERS_MISSING, message),)
    return (ConditionState("WithinBudget", "True", BudgetReason.WITHIN_BUDGET, told),)


def worst_of(states: Iterable[ConditionState]) -> tuple[ConditionState, ...]:
    """Return one condition for what judges and endpoints spend: the worse one, with what both say."""
    ordered = sorted(states, key=lambda state: _SEVERITY[state.status])
    if len(ordered) < 2:
        return tuple(ordered)
    told = "; ".join(state.message for state in ordered if state.message)
    return (replace(ordered[0], message=told),)


def limit_units(limit: SpendLimit) -> int:
    """Return a limit in units of cost."""
    return money_millionths(limit.amount) * _UNITS


def _measured(endpoint: LLMEndpoint) -> bool:
    found = [one.status for one in endpoint.status.conditions if one.type == "MetricsAvailable"]
    return found == ["True"]


def _same(known: EndpointSpend, spending: EndpointSpend) -> bool:
    """Return whether a later day differs from what is known in its date alone."""
    kept = (known.currency, known.unknown) == (spending.currency, spending.unknown)
    return kept and known.day <= spending.day


def _units(text: str) -> int:
    """Return the units of a sum that a status holds; ValueError where it is none. Sums outgrow the form of a spec."""
    if not _SUM.fullmatch(text):
        raise ValueError(f"{text!r} is not a sum")
    whole, _, decimals = text.partition(".")
    return (int(whole) * PPM + int(decimals.ljust(6, "0"))) * _UNITS


def _month(day: int) -> tuple[int, int]:
    found = _EPOCH + timedelta(days=day)
    return found.year, found.month


def _text(units: int) -> str:
    return money_text(-(-units // _UNITS))
