"""Many keys that fail at once come back in a bounded stream, and few are not held up."""

from __future__ import annotations

from hypothesis import given, strategies

from modelward.operator.runtime.rate_limit import TokenBucket


def test_allowance_of_few_retries_holds_none_up_and_of_many_spreads_them() -> None:
    allowance = TokenBucket(per_s=10.0, burst=100)
    waits = [allowance.wait(50.0) for _ in range(300)]
    assert max(waits[:100]) < 1e-9
    assert waits == sorted(waits)
    assert 19.9 < waits[-1] < 20.1
    assert allowance.wait(1_000.0) == 0.0


@given(strategies.lists(strategies.floats(0, 3), max_size=300))
def test_allowance_never_lets_more_than_the_burst_and_the_rate_go_in_any_time(pauses: list[float]) -> None:
    allowance, now, goes = TokenBucket(per_s=10.0, burst=5), 0.0, []
    for pause in pauses:
        now += pause
        goes.append(now + allowance.wait(now))
    goes.sort()
    for first in range(len(goes)):
        for last in range(first, min(len(goes), first + 40)):
            assert last - first + 1 <= 5 + 10.0 * (goes[last] - goes[first]) + 1.001
