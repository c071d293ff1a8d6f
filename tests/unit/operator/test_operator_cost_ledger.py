"""What endpoints cost while this process leads: at the price of the moment, from 0, and never a guess."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from modelward.api.budget import COST_UNITS
from modelward.api.usage import Prices
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import History
from modelward.operator.observe.cost_ledger import CostLedger
from modelward.operator.observe.cost_metrics import CostMetrics


def prices(amount: str, currency: str = "USD") -> Prices:
    price = {"model": "m", "perMillionInputTokens": amount, "perMillionOutputTokens": amount}
    return Prices.model_validate({"currency": currency, "models": [price]})


class Rig:
    def __init__(self) -> None:
        self.history, self.ledger, self.now_ms = History(), CostLedger(), 0

    def read(self, price: Prices | None, models: dict[str, float], pod: str = "a", only_input: bool = False) -> None:
        self.now_ms += 15_000
        counters = {}
        for model, tokens in models.items():
            counters[SignalKey(Signal.INPUT_TOKENS, model)] = tokens
            if not only_input:
                counters[SignalKey(Signal.OUTPUT_TOKENS, model)] = 0.0
        self.history.add(Snapshot(pod, self.now_ms, "collector", {}, counters))
        self.ledger.count("retail/chat", price, self.history)

    def total(self, currency: str = "USD") -> int:
        known = self.ledger.of("retail/chat")
        return known.total(currency) if known else 0


def test_another_price_holds_from_the_moment_when_it_is_written() -> None:
    rig = Rig()
    rig.read(prices("1"), {"m": 5_000_000})
    rig.read(prices("1"), {"m": 6_000_000})
    rig.read(prices("3"), {"m": 7_000_000})
    assert rig.total() == 4 * COST_UNITS
    rig.read(prices("3", "EUR"), {"m": 8_000_000})
    assert (rig.total(), rig.total("EUR")) == (4 * COST_UNITS, 3 * COST_UNITS)


def test_a_new_pod_counts_from_0_and_one_that_went_stays_counted() -> None:
    rig = Rig()
    rig.read(prices("1"), {"m": 0})
    rig.read(prices("1"), {"m": 1_000_000})
    rig.history = History()
    rig.read(prices("1"), {"m": 0}, pod="b")
    rig.read(prices("1"), {"m": 1_000_000}, pod="b")
    assert rig.total() == 2 * COST_UNITS


def test_tokens_without_a_price_are_in_no_cost_and_are_told() -> None:
    rig, registry = Rig(), CollectorRegistry()
    metrics = CostMetrics(registry, rig.ledger)
    metrics.endpoint("retail", "chat")
    rig.read(prices("1"), {"m": 0, "other": 0})
    rig.read(prices("1"), {"m": 1_000_000, "other": 7})
    labels = {"namespace": "retail", "endpoint": "chat"}
    value = registry.get_sample_value
    assert value("modelward_cost_total", {**labels, "model": "m", "currency": "USD"}) == 1.0
    assert value("modelward_unpriced_tokens_total", {**labels, "model": "other"}) == 7
    metrics.forget("retail", "chat")
    assert value("modelward_cost_total", {**labels, "model": "m", "currency": "USD"}) is None


def test_a_page_that_counts_only_input_has_no_cost() -> None:
    rig = Rig()
    rig.read(prices("1"), {"m": 0}, only_input=True)
    rig.read(prices("1"), {"m": 1_000_000}, only_input=True)
    known = rig.ledger.of("retail/chat")
    assert known is not None
    assert (rig.total(), dict(known.unpriced)) == (0, {"m": 1_000_000})


def test_models_without_end_have_one_label() -> None:
    rig = Rig()
    rig.read(prices("1"), {"m": 0})
    for n in range(300):
        rig.read(prices("1"), {f"m{n}": 1.0 + n})
    known = rig.ledger.of("retail/chat")
    assert known is not None
    assert len(known.unpriced) <= 101
