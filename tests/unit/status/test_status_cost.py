"""What tokens cost: each model at its price, cached input at its own, and unknown where a price is missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelward.api.budget import COST_UNITS
from modelward.api.usage import Prices
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import History
from modelward.status.cost import ModelTokens, cost_of, cost_of_all, hourly_cost

BIG = {
    "model": "big",
    "perMillionInputTokens": "2.50",
    "perMillionCachedInputTokens": "1.25",
    "perMillionOutputTokens": "10",
}
SMALL = {"model": "small", "perMillionInputTokens": "0.15", "perMillionOutputTokens": "0.60"}
PRICES = Prices.model_validate({"currency": "USD", "models": [BIG, SMALL]})
MILLION = 1_000_000


def test_cached_input_has_its_own_price_where_it_is_given() -> None:
    tokens = ModelTokens(MILLION, 0, MILLION // 2)
    assert cost_of(tokens, "big", PRICES) == 1_875 * COST_UNITS // 1_000
    assert cost_of(tokens, "small", PRICES) == 15 * COST_UNITS // 100, "no price of its own: that of input"


def test_a_model_without_a_price_makes_the_whole_unknown() -> None:
    known, other = ("small", ModelTokens(MILLION, 0)), ("mystery", ModelTokens(1, 0))
    assert cost_of_all([known], PRICES) == 15 * COST_UNITS // 100
    assert cost_of_all([known, other], PRICES) is None
    assert cost_of_all([known, ("mystery", ModelTokens())], PRICES) == 15 * COST_UNITS // 100, "it was not used"
    assert cost_of_all([known], None) is None


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9)), max_size=8))
def test_costs_add_up_to_the_unit(parts: list[tuple[int, int, int]]) -> None:
    counts = [ModelTokens(a, b, min(a, c)) for a, b, c in parts]
    whole = ModelTokens(sum(c.input for c in counts), sum(c.output for c in counts), sum(c.cached for c in counts))
    assert cost_of(whole, "big", PRICES) == sum(cost_of(one, "big", PRICES) or 0 for one in counts)


def read(*models: tuple[str, float, float, float]) -> History:
    history = History()
    for at_ms, part in ((0, 0.0), (300_000, 1.0)):
        counters = {}
        for model, *tokens in models:
            for signal, value in zip(
                (Signal.INPUT_TOKENS, Signal.OUTPUT_TOKENS, Signal.CACHED_INPUT_TOKENS), tokens, strict=True
            ):
                counters[SignalKey(signal, model)] = value * part
        history.add(Snapshot("a", at_ms, "collector", {}, counters))
    return history


def test_models_of_different_prices_are_told_apart() -> None:
    found = hourly_cost(read(("big", 1e6, 1e6, 0), ("small", 1e6, 0, 0)), PRICES, 300_000, 300_000)
    assert found == 12 * (2_500_000 + 10_000_000 + 150_000) * MILLION
    assert hourly_cost(read(("big", 1e6, 1e6, 1e6)), PRICES, 300_000, 300_000) == 12 * 11_250_000 * MILLION
    assert hourly_cost(read(("mystery", 1, 1, 0)), PRICES, 300_000, 300_000) is None
    assert hourly_cost(History(), PRICES, 300_000, 300_000) is None, "and not nothing"
