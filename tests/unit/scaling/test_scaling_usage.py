"""The usage that is read off the pods' metrics."""

from collections.abc import Mapping

import pytest

from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import History
from modelward.scaling.pods import PodUse
from modelward.scaling.usage import UsageSnapshot, observe


def page(at_s: int, pod: str = "a", *, waiting: float | None = None, **counters: float) -> Snapshot:
    gauges = {SignalKey(Signal.IN_FLIGHT): 2.0}
    if waiting is not None:
        gauges[SignalKey(Signal.ENGINE_WAITING)] = waiting
    return Snapshot(
        pod,
        at_s * 1000,
        "collector",
        gauges,
        {SignalKey(Signal[name.upper()]): value for name, value in counters.items()},
    )


def seen(
    *pages: Snapshot, at_s: int = 60, sources: tuple[str, ...] = ("a",), attainment: float = 0.99
) -> UsageSnapshot:
    history = History()
    for each in pages:
        history.add(each)
    return observe(history, sources, replicas=2, ready=1, now_ms=at_s * 1000, attainment=attainment)


def test_counts_prompts_at_their_weight_and_answers_in_full() -> None:
    usage = seen(
        page(0, input_tokens=0, output_tokens=0, requests=0),
        page(30, input_tokens=300, output_tokens=300, requests=5),
        page(60, input_tokens=3300, output_tokens=600, requests=10, waiting=3),
    )
    assert usage.work_30s == pytest.approx((0.1 * 3000 + 300) / 30)
    assert usage.work_60s == pytest.approx((0.1 * 3300 + 600) / 60)
    assert usage.work_per_second == usage.work_30s
    assert usage.work_per_request == pytest.approx(930 / 10)
    assert (usage.replicas, usage.ready, usage.sources, usage.fresh) == (2, 1, 1, 1)
    assert (usage.in_flight, usage.waiting) == (2.0, 3.0)


def test_the_engines_own_count_shows_what_went_past_us() -> None:
    usage = seen(
        page(0, output_tokens=0, engine_generation_tokens=0, engine_prompt_tokens=0),
        page(60, output_tokens=60, engine_generation_tokens=600, engine_prompt_tokens=0),
    )
    assert usage.work_per_second == 10


def test_chunks_stand_for_tokens_where_answers_carry_no_usage() -> None:
    assert seen(page(0, chunks=0, requests=0), page(60, chunks=120, requests=4)).work_per_second == 2


def test_no_requests_are_no_work_and_uncounted_requests_unknown_work() -> None:
    assert seen(page(0, requests=5), page(60, requests=5)).work_per_second == 0
    assert not seen(page(0, requests=0), page(60, requests=0, waiting=0)).work_per_request
    uncounted = seen(page(0, requests=0), page(60, requests=6))
    assert uncounted.work_per_second is None
    assert uncounted.requests_per_second == pytest.approx(0.1)


def marked(at_s: int, counters: Mapping[str, float], in_flight: float = 0.0, of: str = "probe") -> Snapshot:
    """A page on which users did nothing."""
    gauges = {SignalKey(Signal.IN_FLIGHT): 0.0, SignalKey(Signal[f"{of.upper()}_IN_FLIGHT"]): in_flight}
    counted = {SignalKey(Signal[f"{of}_{name}".upper()]): value for name, value in counters.items()}
    return Snapshot("a", at_s * 1000, "collector", gauges, counted | {SignalKey(Signal.REQUESTS): 0.0})


@pytest.mark.parametrize("of", ["probe", "judged"])
def test_marked_traffic_is_load_of_the_engine_that_serves_it(of: str) -> None:
    before = {"requests": 0.0, "input_tokens": 0.0, "output_tokens": 0.0}
    after = {"requests": 6.0, "input_tokens": 600.0, "output_tokens": 120.0}
    usage = seen(marked(0, before, of=of), marked(60, after, 3.0, of))
    assert usage.work_60s == pytest.approx((0.1 * 600 + 120) / 60)
    assert usage.work_per_request == pytest.approx(180 / 6)
    assert usage.in_flight == 3
    assert usage.requests_per_second == 0, "no user asked"


def test_probes_keep_nothing_awake_and_questions_to_a_judge_do() -> None:
    before, after = {"requests": 0.0, "output_tokens": 0.0}, {"requests": 6.0, "output_tokens": 120.0}
    assert not seen(marked(0, before), marked(60, after, 3.0)).busy
    assert seen(marked(0, before, of="judged"), marked(60, after, 3.0, "judged")).busy
    assert seen(marked(0, {"requests": 0.0}, of="judged"), marked(60, {"requests": 1.0}, of="judged")).busy, "asleep"


def test_what_goes_past_us_is_seen_beside_probes() -> None:
    def both(at_s: int, probes: float, engine: float) -> Snapshot:
        page = marked(at_s, {"output_tokens": probes})
        counters = {**page.counters, SignalKey(Signal.ENGINE_GENERATION_TOKENS): engine}
        return Snapshot("a", at_s * 1000, "collector", page.gauges, counters)

    assert not seen(both(0, 0, 0), both(60, 120, 130)).busy
    assert seen(both(0, 0, 0), both(60, 120, 600)).busy


def test_nothing_read_is_unknown() -> None:
    usage = seen(sources=("a", "b"))
    assert usage == UsageSnapshot(2, 1, 2, 0)
    assert usage.work_per_second is None
    assert not usage.busy


def test_a_silent_pod_is_expected_but_not_fresh() -> None:
    usage = seen(page(0, requests=0), page(60, requests=0), page(0, "b", requests=9), sources=("a", "b", "never"))
    assert (usage.sources, usage.fresh, usage.silent) == (3, 1, 1)


def timed(at_s: int, fast: float, slow: float, signal: Signal = Signal.TTFT) -> Snapshot:
    """Return how many requests took up to one second and up to three, since the pod began."""
    whole = Histogram((1.0, 3.0), (fast, fast + slow), 0.0, fast + slow)
    return Snapshot("a", at_s * 1000, "collector", histograms={SignalKey(signal): whole})


def test_the_latencies_of_the_last_two_minutes() -> None:
    usage = seen(timed(0, 0, 0), timed(60, 20, 0), timed(120, 20, 20), at_s=120, attainment=0.95)
    assert list(usage.first_token_ms) == pytest.approx([2740, 870], abs=10)
    assert seen(timed(0, 0, 0), timed(60, 9, 0)).first_token_ms == (None, None)
    tokens = seen(timed(0, 0, 0, Signal.TPOT), timed(60, 20, 0, Signal.TPOT), attainment=0.95)
    assert tokens.output_token_ms[0] == pytest.approx(870, abs=10)
    assert tokens.first_token_ms == (None, None)


@pytest.mark.parametrize(("attainment", "surely_ms"), [(0.8, 820), (0.96, 1560), (0.99, 2470), (1.0, 2800)])
def test_a_latency_is_what_surely_too_many_took_longer_than(attainment: float, surely_ms: float) -> None:
    """Of 100 requests ten took between one and three seconds, and chance may have made some of them."""
    usage = seen(timed(0, 0, 0), timed(60, 90, 10), attainment=attainment)
    assert usage.first_token_ms[0] == pytest.approx(surely_ms, abs=100)


def test_a_minute_that_may_be_late_by_chance_is_not_late() -> None:
    """99 % are asked for, and are kept in the long run: of 200 a minute three or four are late now and then."""
    by_chance = seen(timed(0, 0, 0), timed(60, 196, 4), attainment=0.99).first_token_ms[0]
    surely = seen(timed(0, 0, 0), timed(60, 193, 7), attainment=0.99).first_token_ms[0]
    assert by_chance is not None
    assert surely is not None
    assert by_chance <= 1000 < surely


def test_one_slow_request_alone_is_no_slow_endpoint() -> None:
    once = seen(timed(0, 0, 0), timed(60, 19, 1), attainment=0.99).first_token_ms[0]
    twice = seen(timed(0, 0, 0), timed(60, 18, 2), attainment=0.99).first_token_ms[0]
    assert once is not None
    assert twice is not None
    assert once <= 1000 < twice


def test_each_replica_is_told_by_itself_and_gateways_are_no_replicas() -> None:
    history = History()
    for at_s, tokens in ((0, 0), (30, 300), (60, 600)):
        history.add(page(at_s, "a", output_tokens=tokens, requests=tokens / 100, waiting=2))
        history.add(page(at_s, "b", output_tokens=0, requests=0, waiting=7))
    usage = observe(history, ("a", "b"), replicas=2, ready=2, now_ms=60_000)
    assert usage.pods == (PodUse("a", 10, 10, 2, 2, 0.1), PodUse("b", 0, 0, 2, 7, 0))
    assert (usage.work_60s, usage.waiting) == (10, 9)
    through = observe(history, ("a", "b"), replicas=2, ready=2, now_ms=60_000, of_replicas=False)
    assert through.pods == ()
    assert through.uses == (PodUse("", 5, 5, 2, 4.5, 0.05),)
