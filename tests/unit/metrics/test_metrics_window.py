"""Windows over pods that come, go, restart and fall silent."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.metrics.histogram import Histogram
from modelward.metrics.series import KEPT_MS, Series
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import Freshness, History, Increase, Level

M = SignalKey(Signal.REQUESTS, "m")
SECOND, MINUTE = 1000, 60_000


def counted(at_s: float, pod: str = "a", **models: float) -> Snapshot:
    counters = {SignalKey(Signal.REQUESTS, model): value for model, value in models.items()}
    return Snapshot(pod, int(at_s * SECOND), "collector", counters=counters)


def kept(*snapshots: Snapshot) -> History:
    history = History()
    for snapshot in snapshots:
        history.add(snapshot)
    return history


def gained(history: History, at_s: float, over_s: float, model: str | None = None) -> float | None:
    increase = history.increase(Signal.REQUESTS, model, int(at_s * SECOND), int(over_s * SECOND))
    return increase.value if increase else None


def test_a_counter_gains_what_it_grew_within_the_window() -> None:
    history = kept(counted(0, m=100), counted(15, m=110), counted(30, m=130))
    assert history.increase(Signal.REQUESTS, "m", 30_000, 30_000) == Increase(30, 30_000, 1, 0)
    assert history.rate(Signal.REQUESTS, "m", 30_000, 15_000) == pytest.approx(20 / 15)


def test_nothing_known_is_none_and_never_zero() -> None:
    assert gained(History(), 30, 30) is None
    one = kept(counted(15, m=100))
    assert gained(one, 30, 30) is None
    assert one.rate(Signal.REQUESTS, None, 30_000, 30_000) is None
    assert one.histogram_increase(Signal.TTFT, None, 30_000, 30_000) is None
    assert one.level(Signal.IN_FLIGHT, None, 30_000) is None
    two = kept(counted(0, m=100), counted(15, m=100))
    assert gained(two, 15, 30) == 0
    assert gained(two, 15, 30, "another model") is None
    assert two.increase(Signal.OUTPUT_TOKENS, None, 15_000, 30_000) is None


def test_a_restarted_process_counts_from_zero_again() -> None:
    assert gained(kept(counted(0, m=100), counted(15, m=120), counted(30, m=5)), 30, 30) == 25


def test_a_restart_between_readings_that_were_thinned_out_is_not_lost() -> None:
    history = kept(*(counted(at, m=100 if at < 600 else 7) for at in range(0, 1800, 15)))
    assert gained(history, 1785, 1785) == 7


def test_an_hour_of_an_idle_pod_holds_its_numbers_once() -> None:
    series = Series()
    for at in range(0, 3600, 15):
        hist = Histogram((1.0, 2.0), (5.0, 9.0), 12.0, 9.0)
        levels, counters = {SignalKey(Signal.IN_FLIGHT, "m"): 0.0}, {M: 9.0}
        series.add(Snapshot("a", at * SECOND, "collector", levels, counters, {SignalKey(Signal.TTFT, "m"): hist}))
    assert len(series.readings) > 60
    for part in ("gauges", "totals", "distributions"):
        assert len({id(getattr(each, part)) for each in series.readings}) == 1, part


def test_a_model_that_appears_in_a_pod_we_knew_counts_from_zero() -> None:
    assert gained(kept(counted(0, m=100), counted(15, m=100, n=4)), 15, 30, "n") == 4


def test_a_pod_that_is_new_to_us_counts_from_its_first_reading() -> None:
    history = kept(counted(0, m=100), counted(15, m=110), counted(15, "b", m=5000), counted(30, "b", m=5010))
    history.add(counted(30, m=120))
    assert history.increase(Signal.REQUESTS, None, 30_000, 30_000) == Increase(30, 30_000, 2, 0)
    assert history.rate(Signal.REQUESTS, None, 30_000, 30_000) == pytest.approx(20 / 30 + 10 / 15)


def test_a_pod_that_went_is_in_the_increase_but_not_in_the_rate() -> None:
    history = kept(counted(0, "gone", m=0), counted(60, "gone", m=60), counted(60, m=0), counted(120, m=30))
    assert history.increase(Signal.REQUESTS, None, 120_000, 120_000) == Increase(90, 60_000, 1, 1)
    assert history.rate(Signal.REQUESTS, None, 120_000, 120_000) == pytest.approx(0.5)


def test_an_engine_that_was_out_of_reach_has_not_served_everything_since() -> None:
    def page(at_s: int, **engine: float) -> Snapshot:
        counters = {SignalKey(Signal.ENGINE_REQUESTS): value for value in engine.values()}
        return Snapshot("a", at_s * SECOND, "collector", counters=counters)

    history = kept(page(0), page(15, total=5000), page(30), page(45, total=5010))
    assert history.increase(Signal.ENGINE_REQUESTS, None, 45_000, 45_000) == Increase(10, 45_000, 1, 0)
    assert kept(page(0, total=1), page(15)).increase(Signal.ENGINE_REQUESTS, None, 15_000, 30_000) is None


def test_an_engines_own_page_shows_its_counters_born() -> None:
    def page(at_s: int, counters: dict[SignalKey, float]) -> Snapshot:
        return Snapshot("a", at_s * SECOND, "engine", counters=counters)

    history = kept(page(0, {}), page(15, {SignalKey(Signal.ENGINE_REQUESTS): 3}))
    assert history.rate(Signal.ENGINE_REQUESTS, None, 15_000, 15_000) == pytest.approx(0.2)


def test_a_gap_is_not_stretched_into_the_window() -> None:
    history = kept(counted(0, m=0), counted(600, m=900))
    assert gained(history, 600, 60) is None
    assert gained(history, 600, 590) == 900


def test_a_pod_is_fresh_then_stale_then_absent() -> None:
    history = kept(counted(100, m=1))
    found = [history.freshness("a", at_s * SECOND) for at_s in (99, 100, 130, 131, 160, 161)]
    fresh, stale, absent = Freshness.FRESH, Freshness.STALE, Freshness.ABSENT
    assert found == [absent, fresh, fresh, stale, stale, absent]
    assert history.freshness("never seen", 0) is absent


def test_a_reading_from_the_future_is_none() -> None:
    history = kept(counted(0, m=1), counted(15, m=2), counted(3600, m=9))
    assert gained(history, 15, 30) == 1
    assert history.freshness("a", 15_000) is Freshness.FRESH


def test_a_straggler_changes_nothing() -> None:
    assert gained(kept(counted(0, m=0), counted(30, m=30), counted(15, m=20)), 30, 30) == 30


def test_a_clock_set_back_starts_the_windows_anew() -> None:
    history = kept(counted(5000, m=100), counted(5015, m=110), counted(100, m=120))
    assert gained(history, 100, 60) is None
    history.add(counted(115, m=125))
    assert gained(history, 115, 60) == 5


def test_a_clock_set_forward_leaves_one_reading() -> None:
    history = kept(counted(0, m=100), counted(15, m=110), counted(86_400, m=120))
    assert gained(history, 86_400, 60) is None
    assert history.freshness("a", 86_400_000) is Freshness.FRESH


def test_pods_unseen_for_an_hour_are_let_go() -> None:
    history = kept(counted(0, "old", m=1), counted(0, "a", m=1, n=1))
    history.add(counted(KEPT_MS / SECOND + 1, "a", m=2))
    assert history.pods() == {"a"}
    assert history.models() == ("m", "n")


def test_a_level_sums_what_fresh_pods_gave() -> None:
    def flight(pod: str, at_s: int, value: float) -> Snapshot:
        return Snapshot(pod, at_s * SECOND, "collector", gauges={SignalKey(Signal.IN_FLIGHT, "m"): value})

    history = kept(flight("stale", 0, 50), flight("a", 40, 3), flight("b", 40, 4), counted(40, "mute", m=1))
    assert history.level(Signal.IN_FLIGHT, None, 40_000) == Level(7, 4, 2)
    assert history.level(Signal.IN_FLIGHT, "n", 40_000) is None


def timed(at_s: int, counts: tuple[float, ...], bounds: tuple[float, ...] = (0.1, 1.0), pod: str = "a") -> Snapshot:
    whole = Histogram(bounds, counts[:-1], counts[-1] / 10, counts[-1])
    return Snapshot(pod, at_s * SECOND, "collector", histograms={SignalKey(Signal.TTFT, "m"): whole})


def test_a_distribution_is_what_was_observed_within_the_window() -> None:
    history = kept(timed(0, (5, 8, 10)), timed(15, (6, 10, 14)), timed(15, (1, 1, 1), pod="b"))
    history.add(timed(30, (2, 3, 4), pod="b"))
    assert history.histogram_increase(Signal.TTFT, "m", 30_000, 30_000) == Histogram((0.1, 1.0), (2, 4), 0.7, 7)


def test_a_distribution_survives_a_restart() -> None:
    history = kept(timed(0, (5, 8, 10)), timed(15, (1, 1, 2)))
    assert history.histogram_increase(Signal.TTFT, None, 15_000, 30_000) == Histogram((0.1, 1.0), (1, 1), 0.2, 2)


def test_a_distribution_whose_buckets_are_cut_anew_is_another_one_and_counts_from_there() -> None:
    anew = [timed(30, (600, 700, 800), (0.5, 1.0)), timed(45, (601, 703, 805), (0.5, 1.0))]
    history = kept(timed(0, (5, 8, 10)), timed(15, (6, 9, 12)), *anew)
    assert history.histogram_increase(Signal.TTFT, None, 45_000, 45_000) is None
    found = history.histogram_increase(Signal.TTFT, None, 45_000, 15_000)
    assert found is not None
    assert (found.bounds, found.counts, found.count) == ((0.5, 1.0), (1, 3), 5)


def test_a_distribution_born_in_a_pod_we_knew_counts_from_zero() -> None:
    history = kept(counted(0, m=1), timed(15, (1, 2, 3)))
    assert history.histogram_increase(Signal.TTFT, None, 15_000, 30_000) == Histogram((0.1, 1.0), (1, 2), 0.3, 3)


def test_an_hour_takes_about_eighty_readings() -> None:
    series = Series()
    for at_s in range(0, 7200, 5):
        series.add(counted(at_s, m=at_s))
    ages = [series.readings[-1].at_ms - each.at_ms for each in series.readings]
    assert len(ages) < 90
    assert ages[0] > 59 * MINUTE
    assert all(older - newer <= 20_000 for older, newer in itertools.pairwise(ages) if older <= 5 * MINUTE)
    assert all(older - newer <= MINUTE for older, newer in itertools.pairwise(ages))


@given(
    st.lists(st.tuples(st.integers(1, 200), st.integers(0, 50), st.booleans()), min_size=2, max_size=120),
    st.integers(1, 3600),
)
def test_an_increase_is_never_negative_and_never_more_than_happened(
    steps: list[tuple[int, int, bool]], over_s: int
) -> None:
    history, at_s, value, happened = History(), 0, 0.0, 0.0
    for gap_s, work, restarted in steps:
        at_s += gap_s
        value = work if restarted else value + work
        happened += work
        history.add(counted(at_s, m=value))
    increase = history.increase(Signal.REQUESTS, "m", at_s * SECOND, over_s * SECOND)
    if increase is not None:
        assert 0 <= increase.value <= happened
        assert 0 < increase.covered_ms <= over_s * SECOND + 75_000
