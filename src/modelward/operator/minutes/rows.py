"""One endpoint's minute as a row of its history, from what its pods counted in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from modelward.api.budget import TokenPrices
from modelward.api.history import MINUTE_MS, MOST_PARTS, OTHER, HistoryPart, LevelName, LevelSpread, ObjectiveCount
from modelward.api.usage import Prices
from modelward.metrics.gains import ModelGains
from modelward.metrics.signals import Signal
from modelward.metrics.window import History
from modelward.status.objective_events import ObjectiveEvents

PartKey = tuple[str, str]
"""Revision and model."""
_SAMPLES = 4
"""How often a minute the levels of pods are read: pages are read every 15 s."""
_PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class MinuteFacts:
    """What the last reconcile knew of an endpoint, beside its readings: `revisions` are by pod."""

    revisions: Mapping[str, str] = field(default_factory=dict)
    prices: Prices | None = None
    ready: int = 0
    desired: int | None = None


def parts_of(gains: Mapping[PartKey, ModelGains], prices: Prices | None) -> tuple[HistoryPart, ...]:
    """Return the most used revisions and models, and the rest as one; each with its cost at the price of now."""
    ranked = sorted(gains, key=lambda key: (-gains[key].requests, key))
    parts = [_part(key, gains[key], _price(prices, key[1])) for key in ranked[:MOST_PARTS]]
    if rest := ranked[MOST_PARTS:]:
        parts.append(_rest([(gains[key], _price(prices, key[1])) for key in rest]))
    return tuple(parts)


def _part(key: PartKey, gains: ModelGains, price: TokenPrices | None) -> HistoryPart:
    cost = _cost(gains, price)
    return HistoryPart(
        *key,
        dict(gains.outcomes),
        {name: tuple(counts) for name, counts in gains.latencies.items()},
        gains.input_tokens,
        gains.output_tokens,
        cost,
        price.currency if price is not None and cost is not None else "",
    )


def _rest(some: Iterable[tuple[ModelGains, TokenPrices | None]]) -> HistoryPart:
    together, cost, currency = ModelGains(), 0, ""
    for gains, price in some:
        together.add(gains)
        one = _cost(gains, price)
        if one is not None and price is not None:
            cost, currency = cost + one, price.currency
    whole = _part((OTHER, OTHER), together, None)
    return HistoryPart(
        whole.revision,
        whole.model,
        whole.outcomes,
        whole.latencies,
        whole.input_tokens,
        whole.output_tokens,
        cost if currency else None,
        currency,
    )


def _price(prices: Prices | None, model: str) -> TokenPrices | None:
    return prices.of(model) if prices is not None else None


def _cost(gains: ModelGains, price: TokenPrices | None) -> int | None:
    """Return what the tokens cost; None where they or their price are not known."""
    if price is None or (gains.input_tokens is None and gains.output_tokens is None):
        return None
    return (gains.input_tokens or 0) * price.input + (gains.output_tokens or 0) * price.output


def levels_of(history: History, minute_ms: int, facts: MinuteFacts) -> dict[LevelName, LevelSpread]:
    """Return the levels of a minute; one of which no pod tells is absent."""
    times = [minute_ms + MINUTE_MS * number // _SAMPLES for number in range(1, _SAMPLES + 1)]
    found: dict[LevelName, LevelSpread] = {"ready": _spread([facts.ready])}
    if facts.desired is not None:
        found["desired"] = _spread([facts.desired])
    for name, signal in (("queue", Signal.ENGINE_WAITING), ("in_flight", Signal.IN_FLIGHT)):
        read = [round(level.value) for at_ms in times if (level := history.level(signal, None, at_ms)) is not None]
        if read:
            found[name] = _spread(read)  # type: ignore[index]
    shares = [level for at_ms in times if (level := history.level(Signal.ENGINE_KV_USAGE, None, at_ms)) is not None]
    if shares:
        found["kv"] = _spread([max(0, round(level.value * _PPM / level.pods)) for level in shares])
    return found


def _spread(values: list[int]) -> LevelSpread:
    return LevelSpread(len(values), sum(values), min(values), max(values))


def objectives_of(
    before: Mapping[tuple[str, str], ObjectiveEvents], now: Mapping[tuple[str, str], ObjectiveEvents]
) -> tuple[ObjectiveCount, ...]:
    """Return what objectives counted between two states of their sums; rounded so that the rows add up to them."""
    return tuple(
        ObjectiveCount(*key, *_counted(before.get(key, ObjectiveEvents()), found)) for key, found in now.items()
    )


def _counted(before: ObjectiveEvents, now: ObjectiveEvents) -> tuple[int, int]:
    if now.events < before.events:
        before = ObjectiveEvents()
    return round(now.events) - round(before.events), max(0, round(now.bad) - round(before.bad))
