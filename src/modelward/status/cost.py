"""What the tokens of an endpoint cost; unknown, and never zero, where a model that was used has no price."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from modelward.api.usage import Prices
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.window import History


@dataclass(frozen=True, slots=True)
class ModelTokens:
    """Tokens of one model; `cached` are input tokens that the server had read before."""

    input: float = 0.0
    output: float = 0.0
    cached: float = 0.0

    def since(self, earlier: ModelTokens) -> ModelTokens:
        """Return what came since an earlier count; a count that fell began anew at 0."""
        if self.input < earlier.input or self.output < earlier.output or self.cached < earlier.cached:
            return self
        return ModelTokens(self.input - earlier.input, self.output - earlier.output, self.cached - earlier.cached)

    @property
    def none(self) -> bool:
        """Whether nothing was read and nothing generated."""
        return not self.input and not self.output


def tokens_by_model(totals: Mapping[SignalKey, float]) -> dict[str, ModelTokens]:
    """Return the tokens of each model in a pod's reading; the model is empty where the page names none."""
    models = {key.model for key in totals if key.signal in (Signal.INPUT_TOKENS, Signal.OUTPUT_TOKENS)}
    return {model: ModelTokens(*(totals.get(SignalKey(signal, model), 0.0) for signal in _SIGNALS)) for model in models}


def told_whole(totals: Mapping[SignalKey, float]) -> bool:
    """Return whether a page counts input and output: one of them alone is not what was used."""
    return {Signal.INPUT_TOKENS, Signal.OUTPUT_TOKENS} <= {key.signal for key in totals}


_SIGNALS = (Signal.INPUT_TOKENS, Signal.OUTPUT_TOKENS, Signal.CACHED_INPUT_TOKENS)


def cost_of(tokens: ModelTokens, model: str, prices: Prices | None) -> int | None:
    """Return what tokens cost, in units of cost (1e-12 of the currency); None where the model has no price."""
    price = prices.of(model) if prices is not None else None
    if price is None:
        return 0 if tokens.none and prices is not None else None
    return round(price.cost(tokens.input, tokens.output, tokens.cached))


def cost_of_all(counts: Iterable[tuple[str, ModelTokens]], prices: Prices | None) -> int | None:
    """Return what the tokens of several models cost together; None as soon as one is without a price."""
    costs = [cost_of(tokens, model, prices) for model, tokens in counts]
    return None if None in costs else sum(cost or 0 for cost in costs)


def hourly_cost(history: History, prices: Prices | None, now_ms: int, over_ms: int) -> int | None:
    """Return what an hour like the last `over_ms` costs, in units of cost; None where tokens or a price are unknown."""
    if prices is None:
        return None
    found = []
    for model in history.models_of(Signal.INPUT_TOKENS) | history.models_of(Signal.OUTPUT_TOKENS):
        rates = [history.rate(signal, model, now_ms, over_ms) for signal in _SIGNALS]
        if rates[0] is None and rates[1] is None:
            continue  # no pod that is read now serves it
        if rates[0] is None or rates[1] is None:
            return None
        found.append((model, ModelTokens(*((rate or 0.0) * 3_600 for rate in rates))))
    return cost_of_all(found, prices) if found else None
