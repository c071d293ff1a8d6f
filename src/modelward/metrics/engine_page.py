"""What an engine's own page says, in neutral signals: where there is no collector, its counts stand for requests."""

import math
from collections.abc import Callable

from modelward.engines.engine import Dialect
from modelward.engines.registry import GENERIC
from modelward.metrics import dialects
from modelward.metrics.collector_page import ENGINE_COUNTERS, ENGINE_GAUGES
from modelward.metrics.dialects import dialect, first, speakers, speaking
from modelward.metrics.exposition import Families, Sample, countable
from modelward.metrics.histogram import Histogram
from modelward.metrics.page_sums import histograms, model_of, summed
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import PageSignals, Snapshot, UnusableError


def snapshot_from_engine(families: Families, engine: str, pod: str, at_ms: int) -> Snapshot:
    """An engine's page, for endpoints without a collector: its own counts then stand for the requests.

    Raises UnusableError when the page has not one number that this engine is known by.
    """
    names = dialect(engine, families)
    neutral = dialects.named(families, engine)
    label = names.model_label
    counters = (
        summed(first(families, names.requests), Signal.REQUESTS, label)
        | _failures(families, names)
        | summed(first(families, names.prompt_tokens), Signal.INPUT_TOKENS, label)
        | summed(first(families, names.generation_tokens), Signal.OUTPUT_TOKENS, label)
        | {SignalKey(signal): neutral[name] for name, signal in ENGINE_COUNTERS.items() if name in neutral}
    )
    found = PageSignals(
        _in_flight(families, names)
        | {SignalKey(signal): neutral[name] for name, signal in ENGINE_GAUGES.items() if name in neutral},
        counters,
        _first_histograms(families, names.time_to_first_token, Signal.TTFT, label)
        | _first_histograms(families, names.time_per_output_token, Signal.TPOT, label)
        | _first_histograms(families, names.duration, Signal.DURATION, label),
    )
    snapshot = found.snapshot(pod, at_ms, "engine", engine=dialects.recognised(engine, families))
    if not snapshot.given:
        raise UnusableError(_nothing_said(families, engine, snapshot.unknown))
    return snapshot


def _nothing_said(families: Families, engine: str, unknown: frozenset[Signal]) -> str:
    heard = speakers(families)
    if unknown:
        return f"no number in any metric that engine {engine if engine != GENERIC else heard[0]} is known by"
    none = f"none of its {len(families.samples)} metrics is one that"
    if engine == GENERIC and not heard:
        return f"{none} an engine is known by ({', '.join(speaking())})"
    if engine == GENERIC:
        return f"it has metrics of {' and '.join(heard)}; set spec.engine to the one that serves"
    rather = f"; set spec.engine: {heard[0]}, which they are of" if len(heard) == 1 else ""
    return f"{none} engine {engine} is known by{rather}"


def _failures(families: Families, names: Dialect) -> dict[SignalKey, float]:
    told = [(each.labels.get(names.outcome_label, ""), each) for each in first(families, names.failures)]
    # An outcome that the page does not have did not happen yet, if the page has numbers of others.
    models = {_model(each, names) for _, each in told if countable(each.value)}
    counters: dict[SignalKey, float] = {}
    for signal, counts in _classes(names).items():
        counters |= {SignalKey(signal, model): 0.0 for model in models}
        counters |= summed((each for outcome, each in told if counts(outcome)), signal, names.model_label)
    return counters


def _classes(names: Dialect) -> dict[Signal, Callable[[str], bool]]:
    """Return what this engine tells of requests that failed; a class that it has no name for is unknown, not zero."""
    elsewhere = names.cancelled_outcomes | names.client_error_outcomes | names.overload_outcomes
    classes: dict[Signal, Callable[[str], bool]] = {
        Signal.ERRORS: lambda outcome: (
            outcome not in elsewhere if names.error_outcomes is None else outcome in names.error_outcomes
        ),
        Signal.CANCELLED: names.cancelled_outcomes.__contains__,
    }
    if names.client_error_outcomes:
        classes[Signal.CLIENT_ERRORS] = names.client_error_outcomes.__contains__
    if names.overload_outcomes:
        classes[Signal.OVERLOADS] = names.overload_outcomes.__contains__
    return classes


def _model(sample: Sample, names: Dialect) -> str:
    return model_of(sample.labels, names.model_label)


def _in_flight(families: Families, names: Dialect) -> dict[SignalKey, float]:
    """What waits and what runs; where the page has only one of the two, that one is not all there is."""
    parts = [first(families, known) for known in (names.waiting, names.running) if known]
    both = summed((each for part in parts for each in part), Signal.IN_FLIGHT, names.model_label)
    return both if all(parts) else dict.fromkeys(both, math.nan)


def _first_histograms(
    families: Families, names: tuple[str, ...], signal: Signal, model_label: str
) -> dict[SignalKey, Histogram | None]:
    for name in names:
        found = histograms(families, name, signal, model_label)
        if found:
            return found
    return {}
