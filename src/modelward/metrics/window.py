"""Windows over what many pods reported: increases, rates, distributions and levels that never take a gap for a zero."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from modelward.metrics.histogram import Histogram, merged, subtracted
from modelward.metrics.series import KEPT_MS, Reading, Series
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot

FRESH_MS = 30_000
STALE_MS = 60_000


class Freshness(StrEnum):
    """How far a pod's last reading may be relied on: Fresh up to 30 s, Stale up to 60 s, then Absent."""

    FRESH = "Fresh"
    STALE = "Stale"
    ABSENT = "Absent"


@dataclass(frozen=True, slots=True)
class Increase:
    """What a counter gained in a window, over all pods that were seen in it.

    `covered_ms` is the part of the window that the best-covered pod spans; `pods` gave the signal and are fresh,
    `stale_pods` gave it and have fallen silent.
    """

    value: float
    covered_ms: int
    pods: int
    stale_pods: int

    @property
    def of_pods(self) -> int:
        """How many pods gave it."""
        return self.pods + self.stale_pods


@dataclass(frozen=True, slots=True)
class Level:
    """A gauge over the fresh pods: their sum, the largest, and how many gave it."""

    value: float
    highest: float
    pods: int


class History:
    """The last hour of all pods of one endpoint; asked with the time passed in, and answering None for unknown.

    `model=None` in a question means all models together.
    """

    def __init__(self) -> None:
        self._pods: dict[str, Series] = {}

    def add(self, snapshot: Snapshot) -> None:
        """Take one snapshot in, and let go of pods that were last seen more than an hour before it.

        When the clock was set back, also of pods that were seen before: their readings would count again a day later.
        """
        set_back = self._pods.setdefault(snapshot.pod, Series()).add(snapshot)
        earliest_ms = snapshot.at_ms - KEPT_MS
        latest_ms = snapshot.at_ms if set_back else math.inf
        gone = [
            pod
            for pod, series in self._pods.items()
            if not series.readings or not earliest_ms <= series.readings[-1].at_ms <= latest_ms
        ]
        for pod in gone:
            del self._pods[pod]

    def pods(self) -> frozenset[str]:
        """The pods seen within the last hour."""
        return frozenset(self._pods)

    def newest(self) -> Mapping[str, Reading]:
        """The newest reading of each pod seen within the last hour."""
        return {pod: series.readings[-1] for pod, series in self._pods.items() if series.readings}

    def until(self, at_ms: int) -> Mapping[str, tuple[Reading, Reading]]:
        """The first and the newest reading of each pod that are not later than a time."""
        found = {pod: (series.readings[:1], series.latest(at_ms)) for pod, series in self._pods.items()}
        return {pod: (first[0], last) for pod, (first, last) in found.items() if last is not None}

    def models(self) -> tuple[str, ...]:
        """The models that pods seen within the last hour have named, in alphabetical order."""
        newest = (series.readings[-1] for series in self._pods.values())
        keys = {key for each in newest for key in (*each.gauges, *each.totals, *each.distributions) if key.model}
        return tuple(sorted({key.model for key in keys}))

    def models_of(self, signal: Signal) -> frozenset[str]:
        """The models of which pods seen within the last hour have counted a signal; empty for one without a name."""
        return frozenset(key.model for one in self.newest().values() for key in one.totals if key.signal is signal)

    def of_pod(self, pod: str) -> "History":
        """The same window over one pod alone."""
        alone = History()
        if pod in self._pods:
            alone._pods[pod] = self._pods[pod]
        return alone

    def freshness(self, pod: str, now_ms: int) -> Freshness:
        """Whether this pod can be relied on now; a reading from the future (the clock was set back) counts as none."""
        series = self._pods.get(pod)
        latest = series.latest(now_ms) if series else None
        if latest is None or now_ms - latest.at_ms > STALE_MS:
            return Freshness.ABSENT
        return Freshness.FRESH if now_ms - latest.at_ms <= FRESH_MS else Freshness.STALE

    def lacking(self, pod: str, for_ms: int = 0) -> frozenset[Signal]:
        """The signals that this pod's newest reading has no number for, though its page names them or gave them lately.

        `for_ms` leaves out those that it gave so recently.
        """
        series = self._pods.get(pod)
        return series.lacking(for_ms) if series else frozenset()

    def gives(self, pod: str) -> frozenset[Signal]:
        """The signals that this pod's newest reading has a number for."""
        series = self._pods.get(pod)
        return series.giving() if series else frozenset()

    def idle(self, pod: str) -> bool:
        """Whether this pod says that it has served nothing since it started."""
        series = self._pods.get(pod)
        return series is not None and series.idle

    def increase(self, signal: Signal, model: str | None, now_ms: int, over_ms: int) -> Increase | None:
        """What a counter gained within the last `over_ms`, restarts and new pods considered; None if nothing is known.

        A pod that was new to us within the window counts from its first reading, a model or outcome that appears
        in a pod we knew counts from 0.
        """
        gains = tuple(self._gains(signal, model, now_ms, over_ms))
        if not gains:
            return None
        fresh = sum(1 for pod, _, _ in gains if self.freshness(pod, now_ms) is Freshness.FRESH)
        return Increase(
            math.fsum(value for _, value, _ in gains),
            max(covered for _, _, covered in gains),
            fresh,
            len(gains) - fresh,
        )

    def rate(self, signal: Signal, model: str | None, now_ms: int, over_ms: int) -> float | None:
        """Per second now: the sum of the fresh pods' own rates, so that a pod just started is not averaged away."""
        rates = [
            value * 1000 / covered
            for pod, value, covered in self._gains(signal, model, now_ms, over_ms)
            if self.freshness(pod, now_ms) is Freshness.FRESH
        ]
        return math.fsum(rates) if rates else None

    def throughput(self, signal: Signal, model: str | None, now_ms: int, over_ms: int) -> float | None:
        """Per second over the whole window: what the fresh pods gained together.

        A pod that was new within it counts for what it gained, and not as if it had gone on like that all along: where
        one pod takes over from others, the sum of their rates counts twice.
        """
        gains = [
            (value, covered)
            for pod, value, covered in self._gains(signal, model, now_ms, over_ms)
            if self.freshness(pod, now_ms) is Freshness.FRESH
        ]
        least = min(over_ms, max((covered for _, covered in gains), default=0))
        return math.fsum(value * 1000 / max(covered, least) for value, covered in gains) if gains else None

    def histogram_increase(self, signal: Signal, model: str | None, now_ms: int, over_ms: int) -> Histogram | None:
        """All that was observed within the last `over_ms`, over all pods seen in it; None if nothing is known."""
        steps = []
        for _, start, last in self._spans(now_ms, over_ms):
            for key in _matching(last.distributions.keys() - last.missing, signal, model):
                later, earlier = last.distributions[key], start.distributions.get(key)
                if earlier is not None and earlier.bounds != later.bounds:
                    continue  # cut again within the window: the two cannot be compared
                step = later if earlier is None else subtracted(later, earlier)
                if step is not None:
                    steps.append(step)
        return merged(steps)

    def level(self, signal: Signal, model: str | None, now_ms: int) -> Level | None:
        """A gauge as the fresh pods gave it last; None when none of them did."""
        values = []
        for pod, series in self._pods.items():
            latest = series.latest(now_ms)
            if latest is None or self.freshness(pod, now_ms) is not Freshness.FRESH:
                continue
            found = [latest.gauges[key] for key in _matching(latest.gauges, signal, model)]
            if found:
                values.append((math.fsum(found), max(found)))
        if not values:
            return None
        return Level(math.fsum(total for total, _ in values), max(highest for _, highest in values), len(values))

    def _spans(self, now_ms: int, over_ms: int) -> Iterator[tuple[str, Reading, Reading]]:
        for pod, series in self._pods.items():
            span = series.between(now_ms - over_ms, now_ms)
            if span is not None:
                yield pod, *span

    def _gains(self, signal: Signal, model: str | None, now_ms: int, over_ms: int) -> Iterator[tuple[str, float, int]]:
        for pod, start, last in self._spans(now_ms, over_ms):
            keys = _matching(last.totals.keys() - last.missing, signal, model)
            if keys:
                gained = math.fsum(last.totals[key] - start.totals.get(key, 0.0) for key in keys)
                yield pod, gained, last.at_ms - start.at_ms


def _matching(known: Iterable[SignalKey], signal: Signal, model: str | None) -> list[SignalKey]:
    return [key for key in known if key.signal is signal and (model is None or key.model == model)]
