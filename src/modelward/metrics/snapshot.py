"""One reading of one pod, in neutral signals: the only form in which metrics travel through the operator."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal, SignalKey

CallerKey: TypeAlias = tuple[str, str, str]
"""A caller, what is counted of it (a field of `api.history.CallerCount`), and the currency of a cost."""
CallerSums: TypeAlias = Mapping[CallerKey, int]
"""Sums since a collector began; costs in `api.budget.COST_UNITS`."""
MAX_MODELS = 100
"""An hour of readings is kept of each: names without end would be memory without end."""


class UnusableError(ValueError):
    """The page is well formed, but nothing in it is reliable; the message says why."""


class NotACollectorError(UnusableError):
    """No collector wrote the page: something else answers on the collector's port."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one pod said at one moment; a signal that it did not give is absent, never zero.

    `unknown` are the signals that the page names and gives no number for (NaN, infinite, negative, contradictory).
    `config_generation` is the configuration that the collector says it runs, empty when it runs none;
    `collector_version` is empty for an engine's page; `engine` is what the engine's own page was taken for, empty where
    it is not known; `engine_problem` is why the collector beside the engine could
    not read the engine's own page; `unreached` says that no model server has accepted its connections for 30 s.
    `callers` is what each caller used, as `metrics.callers` reads it.
    `page` is the digest of the page that was read, by which the same one is known.
    """

    pod: str
    at_ms: int
    source: Literal["collector", "engine"]
    gauges: Mapping[SignalKey, float] = field(default_factory=dict)
    counters: Mapping[SignalKey, float] = field(default_factory=dict)
    histograms: Mapping[SignalKey, Histogram] = field(default_factory=dict)
    unknown: frozenset[Signal] = frozenset()
    config_generation: str = ""
    collector_version: str = ""
    engine: str = ""
    engine_problem: str = ""
    unreached: bool = False
    callers: CallerSums = field(default_factory=dict)
    page: str = field(default="", compare=False, repr=False)

    @property
    def models(self) -> frozenset[str]:
        """The models that the pod named."""
        return frozenset(key.model for key in self._keys if key.model)

    @property
    def given(self) -> frozenset[Signal]:
        """The signals that the pod gave, of some model at least."""
        return frozenset(key.signal for key in self._keys)

    @property
    def _keys(self) -> tuple[SignalKey, ...]:
        return (*self.gauges, *self.counters, *self.histograms)


@dataclass(frozen=True, slots=True)
class PageSignals:
    """Signals as they stand on a page: NaN, or None for a histogram, where there is no number."""

    gauges: Mapping[SignalKey, float]
    counters: Mapping[SignalKey, float]
    histograms: Mapping[SignalKey, Histogram | None]

    def snapshot(
        self,
        pod: str,
        at_ms: int,
        source: Literal["collector", "engine"],
        unreached: bool = False,
        callers: CallerSums | None = None,
        **more: str,
    ) -> Snapshot:
        """Keep what is known. Raises UnusableError of a page that names more models than could be distinguished."""
        values = {**self.gauges, **self.counters}
        unknown = {key.signal for key, value in values.items() if math.isnan(value)}
        unknown |= {key.signal for key, value in self.histograms.items() if value is None}
        models = {key.model for key in (*values, *self.histograms) if key.model}
        if len(models) > MAX_MODELS:
            raise UnusableError(f"it names {len(models)} models, at most {MAX_MODELS} are distinguished")
        return Snapshot(
            pod,
            at_ms,
            source,
            _numbers(self.gauges),
            _numbers(self.counters),
            {key: value for key, value in self.histograms.items() if value is not None},
            frozenset(unknown),
            unreached=unreached,
            callers=callers or {},
            **more,
        )


def _numbers(values: Mapping[SignalKey, float]) -> dict[SignalKey, float]:
    return {key: value for key, value in values.items() if not math.isnan(value)}
