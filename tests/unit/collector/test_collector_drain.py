"""A pod that leaves goes when no node sends it anything any more, and not when it only looks quiet."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from modelward.collector.drain import STALLED_S, Drain

LEAVE_S, QUIET_S = 10.0, 3.0


def goes_at(requests: Iterable[float], *, stalled: tuple[float, float] = (0.0, 0.0), until: float = 60.0) -> float:
    """Return when a pod goes that is sent requests at these times; its data plane does nothing in `stalled`."""
    drain, asked = Drain(0.0, LEAVE_S, QUIET_S), sorted(requests)
    beats = started = 0
    for tenth in range(int(until * 10)):
        now = tenth / 10
        if not stalled[0] <= now < stalled[1]:
            beats += tenth % 10 == 0
            started = sum(one <= now for one in asked)
        if drain.done(now, in_flight=0, started=started, beats=beats):
            return now
    return until


def test_a_pod_that_is_never_asked_stays_until_every_node_could_learn_that_it_leaves() -> None:
    assert goes_at(()) == LEAVE_S


def test_a_pod_stays_while_requests_come_and_for_a_quiet_moment_more() -> None:
    assert goes_at(range(20)) >= 19 + QUIET_S


def test_a_data_plane_that_gets_no_processor_is_not_quiet() -> None:
    waiting = 12.0
    assert goes_at([*range(9), waiting], stalled=(8.5, 30.0)) >= 30.0 + QUIET_S


def test_what_is_in_flight_is_waited_for() -> None:
    drain = Drain(0.0, LEAVE_S, QUIET_S)
    assert not any(drain.done(now, in_flight=1, started=1, beats=now) for now in range(100))


@given(st.lists(st.floats(0, 40), max_size=40), st.floats(0, 40), st.floats(0, 10))
def test_no_request_comes_in_the_quiet_moment_before_a_pod_goes(
    requests: list[float], stalled: float, for_s: float
) -> None:
    end = goes_at(requests, stalled=(stalled, stalled + for_s), until=100.0)
    assert end >= LEAVE_S
    unseen = STALLED_S if stalled <= end <= stalled + for_s else 0.0  # a stall that is too short to be told from none
    assert not [one for one in requests if end - QUIET_S + 0.1 < one <= end - unseen]
