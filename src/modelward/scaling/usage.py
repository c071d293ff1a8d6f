"""An endpoint's load right now, as far as its pods report it."""

import math
from collections.abc import Collection
from dataclasses import dataclass

from modelward.metrics.histogram import quantile
from modelward.metrics.series import OF_SERVED
from modelward.metrics.signals import Signal
from modelward.metrics.window import Freshness, History
from modelward.scaling.pods import PodUse

SHORT_MS = 30_000
LONG_MS = 60_000
MIX_MS = 300_000
# Tokens of a prompt are read together, tokens of an answer are written one by one. One replica of llama2-70b on
# 8 H100 (Splitwise's published performance model) reads 14,971 tokens/s and writes 1,276 at batch 64: 0.09; on
# 4 A100 0.17. The capacity is learned in the same unit, so a wrong weight matters only when the mix changes.
PREFILL_WEIGHT = 0.1
# What every pod counts of the same load. A sum over pods of which one has no number, though it had one or others have,
# is too small.
_OF_EACH_POD = frozenset({Signal.REQUESTS, Signal.IN_FLIGHT, Signal.INPUT_TOKENS, Signal.OUTPUT_TOKENS})
_OF_LOAD = _OF_EACH_POD | {
    Signal.CHUNKS,
    Signal.ENGINE_WAITING,
    Signal.ENGINE_PROMPT_TOKENS,
    Signal.ENGINE_GENERATION_TOKENS,
}
# Fewer requests in a window than this say nothing about how slow it is.
MIN_REQUESTS = 10
_PROBE_ROOM = 2.0
# Of the late requests of a minute so many may be chance: 1.645 standard deviations, 5 % from one side.
_Z = 1.645

Latencies = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class UsageSnapshot:
    """One reading of an endpoint; None is unknown.

    `replicas` is the number requested, `ready` of them serve. Of `sources` pods whose metrics are expected, `fresh`
    gave all that was expected of them within 30 s, and `lacking` names what others did not give. Work is in output
    tokens plus weighted input tokens: per second over the last 30 and 60 s, and per request; `first_token_ms` and
    `output_token_ms` are what surely more requests took longer than the requested attainment allows, in the last minute
    and in the minute before. `silent` sources gave metrics earlier and do not now (one that never did may just be
    starting); `requests_per_second` are those that ended in the last 60 s, refused ones too. `pods` are the fresh
    replicas one by one; empty where the sources are not the replicas themselves. `served_30s` and `served_60s` are the
    work of all together over the whole window, in which a replica that has just come counts for what it did. Probes are
    in the work and in flight, and `probe_work` and `probes_in_flight` say how much of both they are.
    """

    replicas: int
    ready: int
    sources: int
    fresh: int
    work_30s: float | None = None
    work_60s: float | None = None
    work_per_request: float | None = None
    in_flight: float | None = None
    waiting: float | None = None
    first_token_ms: Latencies = (None, None)
    silent: int = 0
    requests_per_second: float | None = None
    lacking: tuple[Signal, ...] = ()
    output_token_ms: Latencies = (None, None)
    pods: tuple[PodUse, ...] = ()
    served_30s: float | None = None
    served_60s: float | None = None
    judged_per_second: float | None = None
    probes_in_flight: float = 0.0
    probe_work: float = 0.0

    @property
    def uses(self) -> tuple[PodUse, ...]:
        """The replicas one by one; where only sums are known, the mean of all; none where the sums are not whole."""
        if self.pods or self.ready <= 0 or not 0 < self.sources == self.fresh:
            return self.pods
        sums = (self.work_30s, self.work_60s, self.in_flight, self.waiting, self.requests_per_second)
        return (PodUse("", *(None if each is None else each / self.ready for each in sums)),)

    @property
    def work_per_second(self) -> float | None:
        """The work to be ready for: the larger of the two windows, so that neither a lull nor a lump sets it alone."""
        return max((work for work in (self.work_30s, self.work_60s) if work is not None), default=None)

    @property
    def busy(self) -> bool:
        """Whether any request is known to have come lately, even one that was refused because nothing runs.

        Questions to a judge count, so that it wakes for them; probes do not, so that they keep nothing awake. What the
        engine counts of them may come in another window than what we count.
        """
        in_flight = (self.in_flight or 0.0) - self.probes_in_flight
        work = (self.work_per_second or 0.0) - _PROBE_ROOM * self.probe_work
        asked = self.requests_per_second or self.judged_per_second
        return bool(in_flight > 0 or self.waiting or work > 0 or asked)


def observe(
    history: History,
    sources: Collection[str],
    *,
    replicas: int,
    ready: int,
    now_ms: int,
    attainment: float = 0.99,
    of_replicas: bool = True,
) -> UsageSnapshot:
    """Read the usage of an endpoint off its metrics; `sources` names the pods that should have given some.

    Latencies are those that the share `attainment` (0 to 1) of the requests surely did not keep within. `of_replicas`
    says that the sources are the replicas themselves, and not gateways in front of them.
    """
    speaking = {pod for pod in sources if history.freshness(pod, now_ms) is Freshness.FRESH}
    lacking = _lacking(history, speaking)
    fresh = {pod for pod in speaking if not lacking[pod]}
    return UsageSnapshot(
        replicas,
        ready,
        len(sources),
        len(fresh),
        _work(history, now_ms, SHORT_MS),
        _work(history, now_ms, LONG_MS),
        _work_per_request(history, now_ms),
        _in_flight(history, now_ms),
        _level(history, Signal.ENGINE_WAITING, now_ms),
        _latencies(history, Signal.TTFT, attainment, now_ms),
        len((history.pods() & set(sources)) - fresh),
        history.rate(Signal.REQUESTS, None, now_ms, LONG_MS),
        tuple(sorted(frozenset().union(*lacking.values()))),
        _latencies(history, Signal.TPOT, attainment, now_ms),
        tuple(_use(pod, history.of_pod(pod), now_ms) for pod in sorted(fresh)) if of_replicas else (),
        _work(history, now_ms, SHORT_MS, whole=True),
        _work(history, now_ms, LONG_MS, whole=True),
        history.rate(Signal.JUDGED_REQUESTS, None, now_ms, LONG_MS),
        _level(history, Signal.PROBE_IN_FLIGHT, now_ms) or 0.0,
        _probe_work(history, now_ms),
    )


def _use(pod: str, history: History, now_ms: int) -> PodUse:
    return PodUse(
        pod,
        _work(history, now_ms, SHORT_MS),
        _work(history, now_ms, LONG_MS),
        _in_flight(history, now_ms),
        _level(history, Signal.ENGINE_WAITING, now_ms),
        history.rate(Signal.REQUESTS, None, now_ms, LONG_MS),
    )


def _in_flight(history: History, now_ms: int) -> float | None:
    """Requests in flight, marked ones too: an engine has to serve them all."""
    users = _level(history, Signal.IN_FLIGHT, now_ms)
    marked = (_level(history, signal, now_ms) for signal in (Signal.JUDGED_IN_FLIGHT, Signal.PROBE_IN_FLIGHT))
    return None if users is None else users + sum(each or 0.0 for each in marked)


def _level(history: History, signal: Signal, now_ms: int) -> float | None:
    found = history.level(signal, None, now_ms)
    return found.value if found else None


def _lacking(history: History, pods: Collection[str]) -> dict[str, frozenset[Signal]]:
    """The signals of load that each pod has no number for: its page names them, or it or another pod gives them."""
    given = {pod: history.gives(pod) for pod in pods}
    expected = _OF_EACH_POD & frozenset().union(*given.values())
    return {
        pod: _OF_LOAD & history.lacking(pod)
        | (expected - given[pod] - (OF_SERVED if history.idle(pod) else frozenset()))
        for pod in pods
    }


def _work(history: History, now_ms: int, over_ms: int, *, whole: bool = False) -> float | None:
    """Work per second; the larger of what was counted at the door and in the engine, for neither sees everything.

    The engine counts while it writes and sees what bypasses us; the collector lives when the engine's page does not,
    and where answers carry no usage its chunks stand for the tokens in them.
    """
    of = history.throughput if whole else history.rate

    def rate(*signals: Signal) -> float | None:
        rates = [found for signal in signals if (found := of(signal, None, now_ms, over_ms)) is not None]
        return sum(rates) if rates else None

    read = _highest(
        rate(Signal.INPUT_TOKENS, Signal.JUDGED_INPUT_TOKENS, Signal.PROBE_INPUT_TOKENS),
        rate(Signal.ENGINE_PROMPT_TOKENS),
    )
    marked = (Signal.JUDGED_OUTPUT_TOKENS, Signal.PROBE_OUTPUT_TOKENS)
    written = _highest(
        rate(Signal.OUTPUT_TOKENS, *marked), rate(Signal.ENGINE_GENERATION_TOKENS), rate(Signal.CHUNKS, *marked)
    )
    if read is None and written is None:
        # No token was ever counted: that is no work without requests, and unknown work with some.
        return 0.0 if history.rate(Signal.REQUESTS, None, now_ms, over_ms) == 0 else None
    return (read or 0.0) * PREFILL_WEIGHT + (written or 0.0)


def _probe_work(history: History, now_ms: int) -> float:
    read = history.rate(Signal.PROBE_INPUT_TOKENS, None, now_ms, LONG_MS) or 0.0
    return read * PREFILL_WEIGHT + (history.rate(Signal.PROBE_OUTPUT_TOKENS, None, now_ms, LONG_MS) or 0.0)


def _highest(*rates: float | None) -> float | None:
    return max((rate for rate in rates if rate is not None), default=None)


def _work_per_request(history: History, now_ms: int) -> float | None:
    work = _work(history, now_ms, MIX_MS)
    counted = (Signal.REQUESTS, Signal.JUDGED_REQUESTS, Signal.PROBE_REQUESTS)
    requests = sum(history.rate(signal, None, now_ms, MIX_MS) or 0.0 for signal in counted)
    return work / requests if work and requests else None


def _latencies(history: History, signal: Signal, attainment: float, now_ms: int) -> Latencies:
    before_ms = now_ms - LONG_MS
    return _latency_ms(history, signal, attainment, now_ms), _latency_ms(history, signal, attainment, before_ms)


def _latency_ms(history: History, signal: Signal, attainment: float, now_ms: int) -> float | None:
    seen = history.histogram_increase(signal, None, now_ms, LONG_MS)
    if seen is None or seen.count < MIN_REQUESTS:
        return None
    # A minute is a sample: more are late than may be only if that is no chance (the score test behind Wilson's
    # interval). One slow request alone never is, whatever attainment is requested.
    may_be_late = max(0.0, 1 - attainment)
    late = seen.count * may_be_late + _Z * math.sqrt(seen.count * may_be_late * (1 - may_be_late))
    found = quantile(seen, max(0.0, 1 - max(1.0, late) / seen.count))
    return found.value * 1000 if found else None
