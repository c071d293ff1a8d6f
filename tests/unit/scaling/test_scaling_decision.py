"""What the scaler promises to whoever lets it write replicas."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.reasons.scaling import ScalingReason
from modelward.scaling.capacity import Capacity, Learned, Source
from modelward.scaling.decision import Decision, decide
from modelward.scaling.history import DecisionHistory
from modelward.scaling.pods import PodUse
from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import UsageSnapshot

SECOND, MINUTE = 1000, 60_000
HOLD = 10 * MINUTE
SPEC = ScalingSpec(1, 8, HOLD, tokens_per_second=100)


def using(work: float | None, replicas: int = 1, *, ready: int | None = None, **more: float | None) -> UsageSnapshot:
    ready = replicas if ready is None else ready
    seen: dict[str, float | None] = {"in_flight": work, "waiting": 0.0} | more
    return UsageSnapshot(
        replicas, ready, 1, 1, work, work, seen.get("work_per_request"), seen["in_flight"], seen["waiting"]
    )


SILENT = replace(using(None, 4, in_flight=None, waiting=None), fresh=0)


def run(
    spec: ScalingSpec, usage: UsageSnapshot, until_ms: int, history: DecisionHistory | None = None, from_ms: int = 0
) -> Decision:
    """Decide every 15 s with the same usage, and give the last decision."""
    decision = decide(spec, usage, history or DecisionHistory(), from_ms)
    for now_ms in range(from_ms + 15 * SECOND, until_ms + 1, 15 * SECOND):
        decision = decide(spec, usage, decision.history, now_ms)
    return decision


def test_scales_up_at_once_to_an_absolute_number() -> None:
    decision = decide(SPEC, using(250, 1), DecisionHistory(), 0)
    assert (decision.replicas, decision.reason) == (4, ScalingReason.LOAD)
    assert decision.message == "250 tok/s of 100 per replica; need 4"
    assert decision.capacity == Capacity(100, Source.DECLARED)


def test_pods_still_starting_never_compound() -> None:
    asked = run(SPEC, using(250, 1), MINUTE)
    again = run(SPEC, using(250, 4, ready=1), 5 * MINUTE, asked.history, MINUTE)
    assert (asked.replicas, again.replicas) == (4, 4)


def test_a_replica_that_was_never_heard_of_does_not_raise_the_need() -> None:
    starting = replace(using(250, 4, ready=1), sources=4, fresh=1)
    assert decide(SPEC, starting, DecisionHistory(), 0).replicas is None
    assert decide(SPEC, replace(starting, silent=1), DecisionHistory(), 0).replicas == 7


def test_requests_that_wait_are_demand_too() -> None:
    decision = decide(SPEC, using(95, 1, waiting=30.0, work_per_request=50.0), DecisionHistory(), 0)
    assert decision.replicas == 2
    assert decide(SPEC, using(95, 1, waiting=120.0, work_per_request=50.0), DecisionHistory(), 0).replicas == 5
    assert (
        "120 waiting" in decide(SPEC, using(95, 1, waiting=120.0, work_per_request=50.0), DecisionHistory(), 0).message
    )


def test_scales_down_only_after_the_hold_and_says_what_it_waits_for() -> None:
    early = run(SPEC, using(50, 4), HOLD - 15 * SECOND)
    assert (early.replicas, early.reason) == (4, ScalingReason.SCALE_DOWN_HOLD)
    assert early.message == "50 tok/s of 100 per replica; need 1; watched for 9.8 of 10 min"
    assert run(SPEC, using(50, 4), HOLD).replicas == 3


def test_a_peak_within_the_hold_keeps_its_replicas() -> None:
    peak = run(SPEC, using(250, 4), HOLD)
    assert peak.reason is ScalingReason.STEADY
    kept = run(SPEC, using(50, 4), HOLD + 9 * MINUTE, peak.history, HOLD + 15 * SECOND)
    assert (kept.replicas, kept.reason) == (4, ScalingReason.SCALE_DOWN_HOLD)
    assert "4 needed within 10 min" in kept.message
    assert run(SPEC, using(50, 4), 2 * HOLD + 15 * SECOND, peak.history, HOLD + 15 * SECOND).replicas == 3


def test_goes_down_by_a_quarter_a_minute() -> None:
    spec = replace(SPEC, max_replicas=40)
    first = run(spec, using(0, 20), HOLD)
    assert first.replicas == 15
    soon = decide(spec, using(0, 15), first.history, HOLD + 15 * SECOND)
    assert (soon.replicas, soon.reason) == (15, ScalingReason.SCALE_DOWN_HOLD)
    assert "one step down a minute" in soon.message
    assert run(spec, using(0, 15), HOLD + MINUTE, first.history, HOLD + 15 * SECOND).replicas == 12


def test_a_step_down_that_was_not_carried_out_is_asked_for_again() -> None:
    first = run(SPEC, using(50, 4), HOLD)
    assert decide(SPEC, using(50, 4), first.history, HOLD + 15 * SECOND).replicas == 3


def test_while_replicas_start_only_those_are_called_off() -> None:
    starting = run(SPEC, using(50, 8, ready=7), HOLD)
    assert starting.replicas == 7
    stuck = run(SPEC, replace(using(50, 8), ready=8), HOLD)
    assert stuck.replicas == 6


def test_stays_within_the_bounds_and_says_so() -> None:
    up = decide(SPEC, using(5000, 8), DecisionHistory(), 0)
    assert (up.replicas, up.reason, up.need) == (8, ScalingReason.AT_MAXIMUM, 69)
    assert up.message == "maximum 8; 5000 tok/s of 100 per replica; need 69"
    down = run(replace(SPEC, min_replicas=2), using(0, 2), HOLD)
    assert (down.replicas, down.reason, down.message) == (2, ScalingReason.AT_MINIMUM, "minimum 2; no requests")
    assert decide(SPEC, using(0, 0), DecisionHistory(), 0).replicas == 1
    assert decide(replace(SPEC, max_replicas=3), SILENT, DecisionHistory(), 0).replicas == 3


def test_the_minimum_counts_even_when_nothing_is_known() -> None:
    decision = decide(replace(SPEC, min_replicas=5), SILENT, DecisionHistory(), 0)
    assert (decision.replicas, decision.reason) == (5, ScalingReason.AT_MINIMUM)


def test_silence_is_not_idleness() -> None:
    quiet = run(SPEC, SILENT, 3 * HOLD)
    assert (quiet.replicas, quiet.need, quiet.reason) == (None, None, ScalingReason.HOLDING_ON_STALE_METRICS)
    assert quiet.message == "no fresh metrics from any of 1 pods"
    assert decide(SPEC, replace(SILENT, sources=0), DecisionHistory(), 0).message == "no pod to read metrics from"


def test_after_silence_the_hold_begins_anew() -> None:
    quiet = run(SPEC, SILENT, 3 * HOLD)
    back = run(SPEC, using(50, 4), 4 * HOLD - MINUTE, quiet.history, 3 * HOLD + 15 * SECOND)
    assert back.reason is ScalingReason.SCALE_DOWN_HOLD
    assert run(SPEC, using(50, 4), 4 * HOLD + 30 * SECOND, quiet.history, 3 * HOLD + 15 * SECOND).replicas == 3


def test_metrics_from_some_pods_scale_up_but_not_down() -> None:
    partial = replace(using(150, 4), sources=3, fresh=1, silent=2)
    up = decide(SPEC, partial, DecisionHistory(), 0)
    assert (up.replicas, up.reason) == (7, ScalingReason.LOAD)
    low = run(SPEC, replace(using(10, 4), sources=3, fresh=1), 3 * HOLD)
    assert (low.replicas, low.reason) == (None, ScalingReason.HOLDING_ON_STALE_METRICS)
    assert low.message == "metrics from 1 of 3 pods; 10 tok/s of 100 per replica"
    idle = run(SPEC, replace(using(0, 4), sources=3, fresh=1), 3 * HOLD)
    assert idle.replicas is None


@pytest.mark.parametrize("leap_ms", [-10 * HOLD, -1, 86_400_000, 3 * MINUTE], ids=["back", "1 ms", "a day", "gap"])
def test_a_clock_that_jumps_scales_nothing_down(leap_ms: int) -> None:
    peak = run(SPEC, using(250, 4), HOLD)
    now_ms = HOLD + leap_ms
    assert decide(SPEC, using(50, 4), peak.history, now_ms).reason is ScalingReason.SCALE_DOWN_HOLD
    kept = run(SPEC, using(50, 4), now_ms + HOLD - 15 * SECOND, peak.history, now_ms)
    assert (kept.replicas, kept.reason) == (4, ScalingReason.SCALE_DOWN_HOLD)
    assert run(SPEC, using(50, 4), now_ms + HOLD + 15 * SECOND, peak.history, now_ms).replicas == 3


LEARNING = replace(SPEC, tokens_per_second=None)


def test_without_a_known_capacity_load_alone_moves_nothing() -> None:
    decision = run(LEARNING, using(500, 3), 3 * HOLD)
    assert (decision.replicas, decision.reason) == (3, ScalingReason.LEARNING_CAPACITY)
    assert decision.message == "500 tok/s; no replica was full yet"
    assert decision.capacity == Capacity(pytest.approx(500 / 3), Source.AT_LEAST)  # type: ignore[arg-type]


def test_learns_the_capacity_while_requests_wait() -> None:
    full = using(80, 2, waiting=3.0)
    one_more = run(LEARNING, full, 30 * SECOND)
    assert (one_more.replicas, one_more.reason) == (3, ScalingReason.LEARNING_CAPACITY)
    assert one_more.message == "3 requests waiting for 30 s; one more replica"
    known = decide(LEARNING, full, one_more.history, 45 * SECOND)
    assert known.capacity == Capacity(40, Source.LEARNED)
    assert (known.replicas, known.message) == (3, "80 tok/s of 40 per replica, 3 waiting; need 3")


def test_a_queue_is_answered_once_until_the_new_replica_serves() -> None:
    one_more = run(LEARNING, using(None, 2, waiting=3.0), 30 * SECOND)
    assert (one_more.replicas, one_more.reason) == (3, ScalingReason.NO_TOKEN_COUNTS)
    waits = run(LEARNING, using(None, 3, ready=2, waiting=3.0), 5 * MINUTE, one_more.history, 45 * SECOND)
    assert waits.replicas == 3
    served = run(LEARNING, using(None, 3, waiting=3.0), 5 * MINUTE + 30 * SECOND, waits.history, 5 * MINUTE + SECOND)
    assert served.replicas == 3


def test_a_lighter_load_goes_back_to_what_was_carried_before() -> None:
    busy = run(LEARNING, using(500, 4), MINUTE)
    calm = run(LEARNING, using(60, 4), 2 * HOLD, busy.history, MINUTE + 15 * SECOND)
    assert (calm.replicas, calm.reason) == (3, ScalingReason.LOAD)
    assert calm.message == "60 tok/s; one replica carried 125 before; need 1"


def test_an_idle_endpoint_needs_no_known_capacity_to_shrink() -> None:
    assert run(LEARNING, using(0, 4), HOLD).replicas == 3


def test_a_roll_out_a_sleep_and_a_pod_that_flaps_forget_no_capacity() -> None:
    a, b = replace(LEARNING, revision="a"), replace(LEARNING, revision="b")
    full = run(a, using(80, 2, waiting=3.0), MINUTE)
    assert full.capacity == Capacity(40, Source.LEARNED)
    flaps, now_ms = full, MINUTE
    for spec in (b, a) * 10:
        now_ms += 30 * SECOND
        flaps = decide(spec, using(80, 2), flaps.history, now_ms)
    assert flaps.history.learned.inherited is False
    asleep = run(replace(a, revision=""), using(0, 0), now_ms + HOLD, flaps.history, now_ms + SECOND)
    rolled = run(b, using(60, 2), now_ms + 2 * HOLD, asleep.history, now_ms + HOLD + SECOND)
    assert (rolled.capacity, rolled.history.learned.inherited) == (full.capacity, True)


def slow(
    last: float | None, before: float | None, replicas: int = 2, work: float | None = None, **more: int
) -> UsageSnapshot:
    """Return an endpoint of replicas that are used at 60 %, with the latency of the last two minutes."""
    work = 60.0 * replicas if work is None else work
    return replace(using(work, replicas, **more), first_token_ms=(last, before))


OBJECTIVE = replace(SPEC, time_to_first_token_ms=2000)


def test_a_slow_first_token_for_two_minutes_asks_for_more() -> None:
    decision = run(OBJECTIVE, slow(3000, 2500), 2 * MINUTE)
    assert (decision.replicas, decision.reason) == (3, ScalingReason.SLOW_FIRST_TOKEN)
    assert decision.message == "first token 3000 ms over 2000 ms at 99% attainment; 1 more"
    large = run(replace(OBJECTIVE, max_replicas=100), slow(3000, 2500, 40), 2 * MINUTE)
    assert large.replicas == 44


def test_a_slow_first_token_waits_for_replicas_that_start_and_then_looks_again() -> None:
    asked = run(OBJECTIVE, slow(3000, 2500), 2 * MINUTE)
    starting = run(OBJECTIVE, slow(3000, 2500, 3, ready=2), 4 * MINUTE, asked.history, 2 * MINUTE + SECOND)
    assert starting.replicas == 3
    fresh = run(OBJECTIVE, slow(3000, 2500, 3), 5 * MINUTE, starting.history, 4 * MINUTE + SECOND)
    assert fresh.replicas == 3


def test_never_down_while_the_first_token_is_slow() -> None:
    decision = run(replace(OBJECTIVE, max_replicas=20), slow(3000, None, 10, work=500), 3 * HOLD)
    assert (decision.replicas, decision.reason) == (10, ScalingReason.SLOW_FIRST_TOKEN)
    assert run(OBJECTIVE, slow(1000, 3000, work=50), HOLD).replicas == 1
    assert run(OBJECTIVE, slow(None, 3000, work=50), HOLD).replicas == 1


def test_slow_tokens_ask_for_more_as_a_slow_first_token_does() -> None:
    spec = replace(SPEC, time_per_output_token_ms=100, attainment_ppm=999_000)
    late = replace(slow(None, None), output_token_ms=(150.0, 120.0))
    decision = run(spec, late, 2 * MINUTE)
    assert (decision.replicas, decision.reason) == (3, ScalingReason.SLOW_TOKENS)
    assert decision.message == "output token 150 ms over 100 ms at 99.9% attainment; 1 more"
    ten = replace(slow(None, None, 10, work=500), output_token_ms=(150.0, 90.0))
    held = run(replace(spec, max_replicas=20), ten, 3 * HOLD)
    assert (held.replicas, held.reason) == (10, ScalingReason.SLOW_TOKENS)
    calm = slow(None, None, work=50)
    assert run(spec, replace(calm, output_token_ms=(90.0, 120.0)), HOLD).replicas == 1
    assert run(OBJECTIVE, replace(calm, output_token_ms=(150.0, 120.0)), HOLD).replicas == 1


def test_the_objective_that_was_missed_for_two_minutes_decides() -> None:
    both = replace(OBJECTIVE, time_per_output_token_ms=100)
    decision = run(both, replace(slow(3000, 1000), output_token_ms=(150.0, 120.0)), 2 * MINUTE)
    assert (decision.replicas, decision.reason) == (3, ScalingReason.SLOW_TOKENS)


def test_load_decides_where_it_asks_for_more_than_latency_does() -> None:
    assert run(OBJECTIVE, slow(3000, 2500, work=500), 2 * MINUTE).reason is ScalingReason.LOAD


def test_a_step_that_helps_no_latency_goes_back_and_is_not_taken_again() -> None:
    """Long prompts take three seconds whatever the number of replicas is."""
    replicas, most, history, now_ms = 2, 2, DecisionHistory(), 0
    while now_ms < 5 * 60 * MINUTE:
        decision = decide(OBJECTIVE, slow(3000, 2800, replicas, work=120), history, now_ms)
        replicas, history = decision.replicas or replicas, decision.history
        most, now_ms = max(most, replicas), now_ms + 15 * SECOND
    assert (most, replicas) == (3, 2)
    assert decision.message.endswith("first token late, not for lack of replicas")
    busier = run(
        replace(OBJECTIVE, max_replicas=20), slow(3000, 2800, 4, work=240), now_ms + 3 * MINUTE, history, now_ms
    )
    assert busier.replicas == 5, "with much more work it is worth another try"
    assert len(decision.history.futile) == 1


def test_steps_that_help_a_latency_go_on_until_it_is_kept() -> None:
    replicas, history, now_ms = 2, DecisionHistory(), 0
    while now_ms < 60 * MINUTE:
        took_ms = 8000 / replicas
        late = slow(took_ms, took_ms, replicas, work=120)
        decision = decide(replace(OBJECTIVE, max_replicas=20), late, history, now_ms)
        replicas, history = decision.replicas or replicas, decision.history
        now_ms += 15 * SECOND
    assert replicas == 4


def test_a_latency_at_low_use_is_not_for_want_of_replicas() -> None:
    decision = run(OBJECTIVE, slow(3000, 2800, 2, work=30), HOLD)
    assert (decision.replicas, decision.reason) == (1, ScalingReason.LOAD)
    queueing = replace(slow(3000, 2800, 2, work=30), waiting=20.0)
    assert run(OBJECTIVE, queueing, 2 * MINUTE).replicas == 3


SLEEPY = replace(SPEC, min_replicas=0, wakes=True)


def test_sleeps_after_a_hold_without_requests() -> None:
    assert run(SLEEPY, using(0, 1), HOLD - SECOND).replicas == 1
    asleep = run(SLEEPY, using(0, 1), HOLD)
    assert (asleep.replicas, asleep.reason, asleep.message) == (0, ScalingReason.IDLE, "no requests")
    assert run(SLEEPY, using(0, 0), 2 * HOLD).replicas == 0


def test_wakes_for_the_first_request() -> None:
    assert decide(SLEEPY, using(0, 0, in_flight=1.0), DecisionHistory(), 0).replicas == 1
    assert (
        decide(replace(SLEEPY, tokens_per_second=None), using(0, 0, in_flight=1.0), DecisionHistory(), 0).replicas == 1
    )
    refused = replace(using(0, 0), requests_per_second=0.1)
    assert decide(SLEEPY, refused, DecisionHistory(), 0).replicas == 1


def test_does_not_sleep_while_a_request_is_in_flight_or_nobody_could_wake_it() -> None:
    assert run(SLEEPY, using(0, 1, in_flight=1.0), 2 * HOLD).replicas == 1
    assert run(replace(SLEEPY, wakes=False), using(0, 1), 2 * HOLD).replicas == 1


# What follows holds for any usage after any past.

_RATES = st.one_of(st.none(), st.floats(0, 10_000))
_GAUGES = st.one_of(st.none(), st.floats(0, 500))
_LATENCY = st.one_of(st.none(), st.floats(1, 10_000))
_LATENCIES = st.tuples(_LATENCY, _LATENCY)


_PODS = st.lists(
    st.builds(PodUse, st.sampled_from("abcd"), _RATES, _RATES, _GAUGES, _GAUGES, _RATES),
    max_size=4,
    unique_by=lambda pod: pod.name,
).map(tuple)


@st.composite
def usages(draw: st.DrawFn) -> UsageSnapshot:
    replicas, sources = draw(st.integers(0, 12)), draw(st.integers(0, 6))
    return UsageSnapshot(
        replicas,
        draw(st.integers(0, replicas)),
        sources,
        draw(st.integers(0, sources)),
        draw(_RATES),
        draw(_RATES),
        draw(_RATES),
        draw(_GAUGES),
        draw(_GAUGES),
        draw(_LATENCIES),
        draw(st.integers(0, 4)),
        draw(_RATES),
        output_token_ms=draw(_LATENCIES),
        pods=draw(_PODS),
        served_30s=draw(_RATES),
        served_60s=draw(_RATES),
    )


@st.composite
def specs(draw: st.DrawFn) -> ScalingSpec:
    low = draw(st.integers(0, 6))
    return ScalingSpec(
        low,
        draw(st.integers(max(1, low), 10)),
        draw(st.sampled_from([0, MINUTE, HOLD])),
        draw(st.sampled_from([None, 2000])),
        draw(st.one_of(st.none(), st.integers(1, 1000))),
        draw(st.booleans()),
        draw(st.sampled_from(["", "a"])),
        draw(st.sampled_from([None, 100])),
    )


_PASTS = st.lists(st.tuples(usages(), st.integers(-3 * MINUTE, 3 * MINUTE)), max_size=12)


def after(spec: ScalingSpec, past: list[tuple[UsageSnapshot, int]]) -> tuple[DecisionHistory, int]:
    history, now_ms = DecisionHistory(), 10 * HOLD
    for usage, step_ms in past:
        now_ms += step_ms
        history = decide(spec, usage, history, now_ms).history
    return history, now_ms


@given(specs(), _PASTS, usages())
def test_never_outside_the_bounds(
    spec: ScalingSpec, past: list[tuple[UsageSnapshot, int]], usage: UsageSnapshot
) -> None:
    history, now_ms = after(spec, past)
    decision = decide(spec, usage, history, now_ms)
    assert decision.replicas is None or spec.floor <= decision.replicas <= spec.max_replicas
    assert decision.replicas is not None or spec.floor <= usage.replicas <= spec.max_replicas
    assert 0 < len(decision.message) <= 120


@given(specs(), _PASTS, usages())
def test_never_down_on_missing_or_partial_data(
    spec: ScalingSpec, past: list[tuple[UsageSnapshot, int]], usage: UsageSnapshot
) -> None:
    history, now_ms = after(spec, past)
    usage = replace(usage, fresh=min(usage.fresh, max(0, usage.sources - 1)))
    decision = decide(spec, usage, history, now_ms)
    assert decision.replicas is None or decision.replicas >= min(usage.replicas, spec.max_replicas)


@given(specs(), _PASTS, usages(), st.floats(0, 5000), st.floats(0, 100))
def test_more_load_never_asks_for_less(
    spec: ScalingSpec, past: list[tuple[UsageSnapshot, int]], usage: UsageSnapshot, work: float, requests: float
) -> None:
    history, now_ms = after(spec, past)
    more = replace(
        usage,
        work_30s=None if usage.work_30s is None else usage.work_30s + work,
        work_60s=None if usage.work_60s is None else usage.work_60s + work,
        in_flight=None if usage.in_flight is None else usage.in_flight + requests,
        waiting=None if usage.waiting is None else usage.waiting + requests,
    )
    low, high = decide(spec, usage, history, now_ms), decide(spec, more, history, now_ms)
    if low.replicas is not None and high.replicas is not None:
        assert low.replicas <= high.replicas


@given(specs(), _PASTS, usages())
def test_never_down_before_a_whole_hold_was_watched(
    spec: ScalingSpec, past: list[tuple[UsageSnapshot, int]], usage: UsageSnapshot
) -> None:
    spec = replace(spec, scale_down_hold_ms=HOLD)
    history, now_ms = after(spec, past)
    decision = decide(spec, usage, history, now_ms)
    watched = now_ms - decision.history.watched_since_ms
    if watched < HOLD and decision.replicas is not None:
        assert decision.replicas >= min(usage.replicas, spec.max_replicas)


@given(specs(), _PASTS, usages())
def test_down_by_at_most_a_quarter_at_once(
    spec: ScalingSpec, past: list[tuple[UsageSnapshot, int]], usage: UsageSnapshot
) -> None:
    history, now_ms = after(spec, past)
    decision = decide(spec, usage, history, now_ms)
    if decision.replicas is not None:
        step = max(1, usage.replicas // 4)
        assert decision.replicas >= min(usage.replicas - step, spec.max_replicas)


@given(specs(), _PASTS, usages())
def test_pending_replicas_do_not_raise_the_need(
    spec: ScalingSpec, past: list[tuple[UsageSnapshot, int]], usage: UsageSnapshot
) -> None:
    history, now_ms = after(spec, past)
    ready = min(usage.ready, usage.replicas)
    asked = decide(spec, usage, history, now_ms)
    if asked.replicas is not None and asked.replicas > usage.replicas:
        pending = replace(usage, replicas=asked.replicas, ready=ready)
        again = decide(spec, pending, asked.history, now_ms + 15 * SECOND)
        if again.capacity == asked.capacity:
            assert again.replicas is None or again.replicas <= asked.replicas


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, MINUTE)), min_size=1, max_size=60))
def test_the_highest_need_of_the_hold_is_remembered(needs: list[tuple[int, int]]) -> None:
    history, now_ms, seen = DecisionHistory(), 0, []
    for need, step_ms in needs:
        now_ms += step_ms
        seen.append((now_ms, need))
        history = history.needing(need, now_ms, HOLD)
        assert history.highest_need() == max(past for at, past in seen if now_ms - at <= HOLD)
    assert len(history.needs) <= 21


def test_the_history_stays_small() -> None:
    decision = run(LEARNING, using(80, 2, waiting=3.0), 20 * HOLD)
    assert len(decision.history.needs) <= 9
    assert len(decision.history.learned.samples) <= 8
    assert decision.history.learned != Learned()
