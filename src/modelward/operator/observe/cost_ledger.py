"""What the tokens of each endpoint cost from the moment when this process first saw it, at the price of each moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from modelward.api.usage import Prices
from modelward.metrics.signals import SignalKey
from modelward.metrics.snapshot import MAX_MODELS
from modelward.metrics.window import History
from modelward.status.cost import ModelTokens, cost_of, tokens_by_model, told_whole

CostKey = tuple[str, str]
"""Model and currency."""
OTHER = "other"


@dataclass(slots=True)
class EndpointCost:
    """Sums that never fall: units of cost by model and currency, and tokens that had no price when they came."""

    costs: defaultdict[CostKey, int] = field(default_factory=lambda: defaultdict(int))
    unpriced: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    pods: dict[str, tuple[Mapping[SignalKey, float], dict[str, ModelTokens]]] = field(default_factory=dict)
    begun: bool = False

    def total(self, currency: str) -> int:
        """Return what was spent in one currency."""
        return sum(cost for (_, of), cost in tuple(self.costs.items()) if of == currency)


class CostLedger:
    """Counts what newest readings add; what pods had counted before an endpoint was first seen is left out."""

    def __init__(self) -> None:
        self._known: dict[str, EndpointCost] = {}

    def count(self, endpoint: str, prices: Prices | None, history: History) -> None:
        """Take in the newest readings of an endpoint, `namespace/name`."""
        known = self._known.setdefault(endpoint, EndpointCost())
        pods: dict[str, tuple[Mapping[SignalKey, float], dict[str, ModelTokens]]] = {}
        for pod, reading in history.newest().items():
            before = known.pods.get(pod)
            if before is not None and before[0] is reading.totals:
                pods[pod] = before
                continue
            now = tokens_by_model(reading.totals)
            if known.begun:
                priced = prices if told_whole(reading.totals) else None
                _add(known, now, before[1] if before is not None else {}, priced)
            pods[pod] = reading.totals, now
        known.pods, known.begun = pods, known.begun or bool(pods)

    def of(self, endpoint: str) -> EndpointCost | None:
        """Return the sums of an endpoint; None of one that was never seen."""
        return self._known.get(endpoint)

    def endpoints(self) -> tuple[tuple[str, EndpointCost], ...]:
        """Return the sums of all endpoints by `namespace/name`."""
        return tuple(self._known.items())

    def forget(self, endpoint: str) -> None:
        """Drop what is known of an endpoint that is gone."""
        self._known.pop(endpoint, None)


def _add(
    known: EndpointCost, now: Mapping[str, ModelTokens], before: Mapping[str, ModelTokens], prices: Prices | None
) -> None:
    for model, tokens in now.items():
        gained = tokens.since(before.get(model, ModelTokens()))
        if gained.none:
            continue
        cost = cost_of(gained, model, prices)
        if cost is None or prices is None:
            known.unpriced[_label(model, known.unpriced)] += gained.input + gained.output
        else:
            known.costs[_label(model, {one for one, _ in known.costs}), prices.currency] += cost


def _label(model: str, known: Mapping[str, float] | set[str]) -> str:
    return model if model in known or len(known) < MAX_MODELS else OTHER
