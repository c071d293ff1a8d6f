"""A key that is asked for without end is worked on now and then; all others at once."""

from modelward.operator.runtime.rate_limit import PAUSE_S, MinInterval
from modelward.operator.runtime.work_queue import Lane, WorkKey

FLOODED, OTHER = WorkKey("endpoint", "retail", "flooded"), WorkKey("endpoint", "retail", "other")


def test_rest_only_the_key_and_lane_that_were_worked_on_have_to_pause() -> None:
    rest = MinInterval()
    assert rest.until(FLOODED, Lane.STATUS) < 0
    rest.begin(FLOODED, Lane.STATUS, 100.0)
    assert rest.until(FLOODED, Lane.STATUS) == 100.0 + PAUSE_S[Lane.STATUS]
    assert rest.until(FLOODED, Lane.SPEC) < 0
    assert rest.until(OTHER, Lane.STATUS) < 0


def test_rest_remembers_nobody_for_longer_than_it_matters() -> None:
    rest = MinInterval()
    for number in range(10_000):
        rest.begin(WorkKey("run", "retail", str(number)), Lane.STATUS, float(number))
    assert len(rest) <= 1_000
    assert rest.until(WorkKey("run", "retail", "9999"), Lane.STATUS) == 10_000.0
