"""The readings of one pod over the last hour, with restarts of its process already taken out."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from modelward.metrics.histogram import Histogram, merged, subtracted
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot

FINE_MS = 15_000
FINE_FOR_MS = 300_000
COARSE_MS = 60_000
KEPT_MS = 3_660_000
# Pages are read every few seconds, so an older reading than this is no straggler: the clock was set back.
STRAGGLER_MS = 60_000
OF_SERVED = frozenset(
    {
        Signal.ERRORS,
        Signal.CLIENT_ERRORS,
        Signal.OVERLOADS,
        Signal.CANCELLED,
        Signal.INPUT_TOKENS,
        Signal.OUTPUT_TOKENS,
        Signal.CACHED_INPUT_TOKENS,
        Signal.CHUNKS,
        Signal.TTFT,
        Signal.TPOT,
        Signal.DURATION,
    }
)
"""Signals that many servers begin to export with the first request that they serve."""
_MAX_KEYS = 2_000
"""Counters known of one pod; a page whose model names change with every reading would otherwise fill the memory."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A snapshot whose counters count from the first time we saw them, and never fall.

    One that is not in a reading yet stood at 0 then, and one that the pod did not give this time (`missing`) is
    carried on, so that two readings may always be subtracted.
    """

    at_ms: int
    gauges: Mapping[SignalKey, float]
    totals: Mapping[SignalKey, float]
    distributions: Mapping[SignalKey, Histogram]
    missing: frozenset[SignalKey] = frozenset()


@dataclass(slots=True)
class Series:
    """One pod's readings, oldest first: every 15 s for 5 minutes, then every minute for an hour."""

    readings: list[Reading] = field(default_factory=list)
    _counters: dict[SignalKey, float] = field(default_factory=dict)
    _histograms: dict[SignalKey, Histogram] = field(default_factory=dict)
    _totals: dict[SignalKey, float] = field(default_factory=dict)
    _distributions: dict[SignalKey, Histogram] = field(default_factory=dict)
    _given_ms: dict[Signal, int] = field(default_factory=dict)
    _unknown: frozenset[Signal] = frozenset()

    def add(self, snapshot: Snapshot) -> bool:
        """Take a snapshot in; a straggler is ignored, a clock set back restarts the series.

        Returns whether the clock was set back.
        """
        behind_ms = self.readings[-1].at_ms - snapshot.at_ms if self.readings else -1
        if 0 <= behind_ms < STRAGGLER_MS:
            return False
        if behind_ms > 0:
            self._begin_anew()
        if len(self._counters) + len(self._histograms) > _MAX_KEYS:
            self._begin_anew()
            for known in (self._counters, self._histograms, self._totals, self._distributions):
                known.clear()
        self._note_given(snapshot)
        # Readings of an idle pod share what they hold: an hour of them costs no more than one.
        if snapshot.counters != self._counters:
            self._totals = self._totals | {
                key: self._total(key, value, snapshot) for key, value in snapshot.counters.items()
            }
            self._counters |= snapshot.counters
        if snapshot.histograms != self._histograms:
            self._distributions = self._distributions | {
                key: self._distribution(key, value) for key, value in snapshot.histograms.items()
            }
            self._histograms |= snapshot.histograms
        missing = (self._counters.keys() - snapshot.counters.keys()) | (
            self._histograms.keys() - snapshot.histograms.keys()
        )
        gauges = snapshot.gauges
        if self.readings and self.readings[-1].gauges == gauges:
            gauges = self.readings[-1].gauges
        self._append(Reading(snapshot.at_ms, gauges, self._totals, self._distributions, frozenset(missing)))
        return behind_ms > 0

    def lacking(self, for_ms: int = 0) -> frozenset[Signal]:
        """The signals without a number in the newest reading: on the page as none, or given within the last hour.

        `for_ms` leaves out those that were given so recently. A pod that served nothing since it started has no numbers
        of what it serves.
        """
        newest_ms = self._newest_ms
        gone = {signal for signal, at_ms in self._given_ms.items() if for_ms < newest_ms - at_ms <= KEPT_MS}
        excused = OF_SERVED if gone and self.idle else frozenset()
        return frozenset(gone - excused) | (self._unknown - self._given_ms.keys())

    def giving(self) -> frozenset[Signal]:
        """The signals with a number in the newest reading."""
        newest_ms = self._newest_ms
        return frozenset(signal for signal, at_ms in self._given_ms.items() if at_ms == newest_ms)

    @property
    def idle(self) -> bool:
        """Whether the pod says that it has served nothing since it started."""
        if not self.readings or self._given_ms.get(Signal.REQUESTS) != self._newest_ms:
            return False
        missing = self.readings[-1].missing
        return not any(
            value for key, value in self._counters.items() if key.signal is Signal.REQUESTS and key not in missing
        )

    def latest(self, now_ms: int) -> Reading | None:
        """The newest reading that is not from the future."""
        return self._before(now_ms)

    def between(self, from_ms: int, to_ms: int) -> tuple[Reading, Reading] | None:
        """The two readings that span a window best: the older one at most one coarse step before its start.

        None unless the window holds a reading and there is an older one to subtract from it.
        """
        last = self._before(to_ms)
        if last is None or last.at_ms <= from_ms:
            return None
        start = self._before(from_ms)
        if start is None or from_ms - start.at_ms > COARSE_MS + FINE_MS:
            start = next(each for each in self.readings if each.at_ms > from_ms)
        return (start, last) if start.at_ms < last.at_ms else None

    @property
    def _newest_ms(self) -> int:
        return self.readings[-1].at_ms if self.readings else 0

    def _begin_anew(self) -> None:
        self.readings.clear()
        self._given_ms.clear()

    def _note_given(self, snapshot: Snapshot) -> None:
        self._unknown = snapshot.unknown
        self._given_ms |= dict.fromkeys(snapshot.given - snapshot.unknown, snapshot.at_ms)

    def _before(self, at_ms: int) -> Reading | None:
        place = bisect_right(self.readings, at_ms, key=lambda each: each.at_ms)
        return self.readings[place - 1] if place else None

    def _total(self, key: SignalKey, value: float, snapshot: Snapshot) -> float:
        known = self._counters.get(key)
        if known is None:
            # A counter of the pod's own page that was not there before was born since, at 0. That of an engine may
            # just have been out of reach, and a pod that is new to us may be old: these count from here.
            born = bool(self.readings) and not (key.signal.of_engine and snapshot.source == "collector")
            return value if born else 0.0
        return self._totals[key] + (value - known if value >= known else value)

    def _distribution(self, key: SignalKey, value: Histogram) -> Histogram:
        known, total = self._histograms.get(key), self._distributions.get(key)
        if known is None or total is None:
            return value if self.readings else _emptied(value)
        if known.bounds != value.bounds:
            return _emptied(value)  # cut again: what it counts up to here was counted before, or at an unknown time
        return merged((total, subtracted(value, known) or value)) or total

    def _append(self, reading: Reading) -> None:
        if len(self.readings) > 1 and self.readings[-1].at_ms - self.readings[-2].at_ms < FINE_MS:
            self.readings.pop()
        self.readings.append(reading)
        newest = reading.at_ms
        self.readings[:] = [each for each in self.readings if newest - each.at_ms <= KEPT_MS]
        self._thin(newest - FINE_FOR_MS)

    def _thin(self, before_ms: int) -> None:
        place = 1
        while place < len(self.readings) - 1 and self.readings[place].at_ms < before_ms:
            if self.readings[place + 1].at_ms - self.readings[place - 1].at_ms <= COARSE_MS:
                del self.readings[place]
            else:
                place += 1


def _emptied(hist: Histogram) -> Histogram:
    return Histogram(hist.bounds, (0.0,) * len(hist.bounds), 0.0, 0.0)
