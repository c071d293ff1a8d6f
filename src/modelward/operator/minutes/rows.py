"""One endpoint's minute as a row of its history, from what its pods counted in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelward.api.history import MINUTE_MS, MOST_PARTS, OTHER, HistoryPart, LevelName, LevelSpread, ObjectiveCount
from modelward.api.usage import Prices
from modelward.metrics.gains import ModelGains
from modelward.metrics.signals import Signal
from modelward.metrics.window import History
from modelward.status.cost import ModelTokens, cost_of
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
    parts = [_part(key, gains[key], _cost(gains[key], key[1], prices), prices) for key in ranked[:MOST_PARTS]]
    if rest := ranked[MOST_PARTS:]:
        together = ModelGains()
        for key in rest:
            together.add(gains[key])
        costs = [cost for key in rest if (cost := _cost(gains[key], key[1], prices)) is not None]
        parts.append(_part((OTHER, OTHER), together, sum(costs) if costs else None, prices))
    return tuple(parts)


def _part(key: PartKey, gains: ModelGains, cost: int | None, prices: Prices | None) -> HistoryPart:
    return HistoryPart(
        *key,
        dict(gains.outcomes),
        {name: tuple(counts) for name, counts in gains.latencies.items()},
        gains.input_tokens,
        gains.output_tokens,
        cost,
        prices.currency if prices is not None and cost is not None else "",
        gains.cached_tokens,
    )


def _cost(gains: ModelGains, model: str, prices: Prices | None) -> int | None:
    """Return what the tokens cost; None where they are not told, or the model has no price."""
    if prices is None or prices.of(model) is None or gains.input_tokens is None or gains.output_tokens is None:
        return None
    return cost_of(ModelTokens(gains.input_tokens, gains.output_tokens, gains.cached_tokens or 0), model, prices)


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
