"""Series of a page as sums by model, which are unknown as a whole when one of their values is no number."""

import math
from collections.abc import Callable, Iterable, Mapping

from modelward.metrics.exposition import Families, Sample, countable
from modelward.metrics.histogram import Histogram, histogram, merged
from modelward.metrics.signals import Signal, SignalKey

Accept = Callable[[Mapping[str, str]], bool]

_MODEL_CHARS = 253


def model_of(labels: Mapping[str, str], label: str) -> str:
    """The model that a series is of, empty where it does not say; at most as long as status may hold."""
    return labels.get(label, "")[:_MODEL_CHARS]


def summed(samples: Iterable[Sample], signal: Signal, model_label: str) -> dict[SignalKey, float]:
    """Sums by model; NaN where one of the values is no number: the others are not the whole."""
    sums: dict[SignalKey, float] = {}
    for each in samples:
        key = SignalKey(signal, model_of(each.labels, model_label))
        sums[key] = sums.get(key, 0.0) + (each.value if countable(each.value) else math.nan)
    return sums


def histograms(
    families: Families, name: str, signal: Signal, model_label: str, accept: Accept = lambda _: True
) -> dict[SignalKey, Histogram | None]:
    """Histograms by model; None where one of its series is none: the others are not the whole."""
    buckets: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for each in families.of(name + "_bucket"):
        bound = _bound(each.labels.get("le", ""))
        if accept(each.labels) and bound is not None:
            buckets.setdefault(_series(each.labels), []).append((bound, each.value))
    sums = {_series(each.labels): each.value for each in families.of(name + "_sum") if math.isfinite(each.value)}
    counts = {_series(each.labels): each.value for each in families.of(name + "_count")}
    by_model: dict[str, list[Histogram | None]] = {}
    for series, pairs in buckets.items():
        model = model_of(dict(series), model_label)
        by_model.setdefault(model, []).append(histogram(pairs, sums.get(series, 0.0), counts.get(series)))
    return {SignalKey(signal, model): _whole(found) for model, found in by_model.items()}


def _whole(found: list[Histogram | None]) -> Histogram | None:
    known = [one for one in found if one is not None]
    return merged(known) if len(known) == len(found) else None


def _series(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pair for pair in labels.items() if pair[0] != "le"))


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
