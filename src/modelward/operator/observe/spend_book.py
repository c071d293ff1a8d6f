"""Adds up what the endpoints of each policy with a budget of money cost, and goes on from its status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from modelward.alerts.ways import way_of_money
from modelward.api.budget import day_of
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.operator.observe.cost_ledger import CostLedger, EndpointCost
from modelward.reasons.policy import BudgetReason
from modelward.status.spend import EndpointSpend, limit_units, spending_in


@dataclass(frozen=True, slots=True)
class SpendAccount:
    """What a policy's endpoints have cost, the limits by period, in units of cost, and which way its alerts go."""

    spending: EndpointSpend
    limits: tuple[tuple[str, int], ...]
    via: str


@dataclass(slots=True)
class _Account:
    spending: EndpointSpend
    limits: tuple[tuple[str, int], ...] = ()
    via: str = ""
    seen: dict[str, _Seen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Seen:
    """How far an endpoint's sums are in the account: in the budget's currency, in others, tokens without a price."""

    cost: int = 0
    foreign: int = 0
    unpriced: float = 0.0


class SpendBook:
    """One account for each policy. What passes while no operator leads is in none."""

    def __init__(self, costs: CostLedger) -> None:
        self._costs = costs
        self._accounts: dict[tuple[str, str], _Account] = {}

    def of(self, policy: MonitoringPolicy, endpoints: Iterable[str], now_ms: int) -> EndpointSpend | None:
        """Add what the endpoints, by name, cost since the last time, and return the sums; None without a budget."""
        key, budget = (policy.metadata.namespace, policy.metadata.name), policy.spec.budget
        limits = budget.spend_limits if budget is not None else ()
        if not limits:
            self._accounts.pop(key, None)
            return None
        currency = limits[0][1].currency
        account, resumes = self._account(key, policy, currency, now_ms)
        account.spending = account.spending.at(now_ms)
        account.limits = tuple((period, limit_units(limit)) for period, limit in limits)
        account.via = way_of_money(policy)
        seen: dict[str, _Seen] = {}
        for name in endpoints:
            known = self._costs.of(f"{key[0]}/{name}")
            now = _sums(known, currency)
            before = account.seen.get(name, _Seen() if resumes else now)
            seen[name] = now
            account.spending = _added(account.spending, name, before, now, known)
        account.seen = seen
        return account.spending

    def forget(self, namespace: str, policy: str) -> None:
        """Drop the account of a policy that is gone."""
        self._accounts.pop((namespace, policy), None)

    def known(self) -> tuple[tuple[tuple[str, str], SpendAccount], ...]:
        """Return all accounts, by namespace and policy."""
        return tuple(
            (key, SpendAccount(one.spending, one.limits, one.via)) for key, one in tuple(self._accounts.items())
        )

    def _account(
        self, key: tuple[str, str], policy: MonitoringPolicy, currency: str, now_ms: int
    ) -> tuple[_Account, bool]:
        """Return the account, and whether it goes on from a status: then all that was counted here belongs to it."""
        found = self._accounts.get(key)
        if found is not None and found.spending.currency == currency:
            return found, False
        before = spending_in(policy.status.spend) if found is None else None
        resumes = before is not None and before.currency == currency
        spending = before if before is not None and resumes else EndpointSpend(day_of(now_ms), currency=currency)
        account = self._accounts[key] = _Account(spending)
        return account, resumes


def _sums(known: EndpointCost | None, currency: str) -> _Seen:
    if known is None:
        return _Seen()
    cost = known.total(currency)
    return _Seen(cost, sum(known.costs.values()) - cost, sum(known.unpriced.values()))


def _added(spending: EndpointSpend, name: str, before: _Seen, now: _Seen, known: EndpointCost | None) -> EndpointSpend:
    """Return the sums with what an endpoint cost since; a sum that fell is of one that was made again."""
    if now.cost < before.cost or now.foreign < before.foreign or now.unpriced < before.unpriced:
        before = _Seen()
    spending = spending.plus(now.cost - before.cost)
    if now.foreign > before.foreign and not spending.unknown:
        spending = replace(spending, unknown=f"{name}, in another currency", why=BudgetReason.CURRENCY_DIFFERS)
    if now.unpriced > before.unpriced and known is not None and not spending.unknown:
        model = next(iter(known.unpriced), "")
        told = f"model {model or 'without a name'} of {name}, which has no price"
        spending = replace(spending, unknown=told, why=BudgetReason.PRICE_UNKNOWN)
    return spending
