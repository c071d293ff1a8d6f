"""What a policy's endpoints cost is added up once: over restarts, new endpoints and new days."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry

from modelward.api.budget import COST_UNITS, DAY_MS
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.operator.observe.cost_ledger import CostLedger, EndpointCost
from modelward.operator.observe.cost_metrics import SpendMetrics
from modelward.operator.observe.spend_book import SpendBook

NOW = 20_784 * DAY_MS


def policy(spend: Any = None, currency: str = "USD") -> MonitoringPolicy:
    return MonitoringPolicy.model_validate(
        {
            "metadata": {"name": "p", "namespace": "retail"},
            "spec": {"endpointSelector": {}, "budget": {"costPerDay": {"amount": "5", "currency": currency}}},
            "status": {"spend": spend} if spend else {},
        }
    )


class Costs(CostLedger):
    """A ledger whose sums a test sets."""

    def spend(self, name: str, units: int, currency: str = "USD") -> None:
        self._known.setdefault(f"retail/{name}", EndpointCost()).costs["m", currency] += units * COST_UNITS

    def unpriced(self, name: str) -> None:
        self._known.setdefault(f"retail/{name}", EndpointCost()).unpriced["m"] += 7


def of_day(book: SpendBook, *names: str, at_ms: int = NOW, asked: MonitoringPolicy | None = None) -> float:
    found = book.of(asked or policy(), names, at_ms)
    assert found is not None
    return found.of_day / COST_UNITS


def test_a_new_budget_begins_at_nothing_whatever_was_counted_before() -> None:
    costs = Costs()
    costs.spend("chat", 100)
    book = SpendBook(costs)
    assert of_day(book, "chat") == 0
    costs.spend("chat", 2)
    assert of_day(book, "chat") == 2
    assert of_day(book, "chat") == 2, "and nothing twice"


def test_another_leader_adds_what_it_counted_to_what_the_status_says() -> None:
    costs = Costs()
    costs.spend("chat", 2)
    status = {"day": "2026-11-27", "costOfDay": "3.00", "costOfMonth": "30.00", "currency": "USD"}
    found = SpendBook(costs).of(policy(status), ["chat"], NOW)
    assert found is not None
    assert (found.of_day, found.of_month) == (5 * COST_UNITS, 32 * COST_UNITS)


def test_an_endpoint_that_is_selected_later_or_made_again_counts_from_then() -> None:
    costs = Costs()
    costs.spend("old", 50)
    book = SpendBook(costs)
    of_day(book, "chat")
    assert of_day(book, "chat", "old") == 0
    costs.spend("old", 1)
    assert of_day(book, "chat", "old") == 1
    costs.forget("retail/old")
    costs.spend("old", 1)
    assert of_day(book, "chat", "old") == 2


def test_a_new_day_begins_at_nothing() -> None:
    costs = Costs()
    book = SpendBook(costs)
    of_day(book, "chat")
    costs.spend("chat", 2)
    assert of_day(book, "chat") == 2
    costs.spend("chat", 1)
    assert of_day(book, "chat", at_ms=NOW + DAY_MS) == 1


def test_what_has_no_price_or_another_currency_is_named() -> None:
    costs = Costs()
    book = SpendBook(costs)
    of_day(book, "chat")
    costs.spend("chat", 1, "EUR")
    found = book.of(policy(), ["chat"], NOW)
    assert found is not None
    assert (found.unknown, found.why) == ("chat, in another currency", "CurrencyDiffers")
    costs.unpriced("chat")
    found = book.of(policy(), ["chat"], NOW + 5 * DAY_MS)
    assert found is not None
    assert (found.unknown, found.why) == ("model m of chat, which has no price", "PriceUnknown")


def test_prometheus_sees_what_is_spent_and_the_limit_until_the_policy_goes() -> None:
    costs, registry = Costs(), CollectorRegistry()
    book = SpendBook(costs)
    SpendMetrics(registry, book)
    of_day(book, "chat")
    costs.spend("chat", 2)
    of_day(book, "chat")
    labels = {"namespace": "retail", "policy": "p", "period": "Day", "currency": "USD"}
    assert registry.get_sample_value("modelward_spend", labels) == 2
    assert registry.get_sample_value("modelward_spend_limit", {**labels, "via": "Chart"}) == 5
    book.forget("retail", "p")
    assert registry.get_sample_value("modelward_spend", labels) is None
