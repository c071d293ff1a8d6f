"""Scaling does not run away: from a stuck replica, a noisy gauge, or the queue that its own cold starts cause."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest
from scaling_fleet import CARRIED, SLOTS, TOKENS, Fleet, Lived, Modelward, day, live

from modelward.scaling.capacity import Source
from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import UsageSnapshot

MINUTE, HOUR = 60, 3600
HOLD_MS = 600_000
HUNG_FROM, HUNG_TO = 20 * MINUTE, 50 * MINUTE


def spec(most: int = 50, told: int | None = None) -> ScalingSpec:
    return ScalingSpec(1, most, HOLD_MS, tokens_per_second=told)


def with_a_hung_replica(look: Callable[[Fleet], UsageSnapshot], told: int | None, *, saturated_before: bool) -> Lived:
    """Let one of four replicas hang for half an hour, at the load of two; before it perhaps all four are full."""
    fleet = Fleet(4, step_s=5)

    def load(now_s: float) -> float:
        fleet.replicas[0].hung = HUNG_FROM <= now_s < HUNG_TO
        return 3_990.0 if saturated_before and now_s < 4 * MINUTE else 2_000.0

    return live(fleet, Modelward(spec(told=told), look), load, 110 * MINUTE)


@pytest.mark.parametrize("saturated_before", [True, False], ids=["was full", "never full"])
@pytest.mark.parametrize("told", [None, 1_000], ids=["learned", "told"])
@pytest.mark.parametrize("look", [Fleet.read, partial(Fleet.usage, gateway=True)], ids=["pages", "gateway"])
def test_a_hung_replica_scales_nothing_away(
    look: Callable[[Fleet], UsageSnapshot], told: int | None, *, saturated_before: bool
) -> None:
    lived = with_a_hung_replica(look, told, saturated_before=saturated_before)
    assert lived.peak(HUNG_FROM) <= 6
    assert lived.at(HUNG_TO + 30 * MINUTE) <= 4


@pytest.mark.parametrize("share", [0.02, 0.08])
def test_a_request_that_waits_now_and_then_is_no_full_replica(share: float) -> None:
    """Twenty replicas are used at 60 %, and in each something waits at a share of the readings."""
    fleet = Fleet(20, step_s=15)
    fleet.gauge_step_s = -math.log(1 - share) / (0.6 * CARRIED / TOKENS)
    lived = live(fleet, Modelward(spec(200)), lambda _: 12_000.0, 4 * HOUR)
    assert lived.peak() == 20


@pytest.mark.parametrize(("rate", "step_s", "replicas"), [(15, 0.05, 10), (30, 0.05, 20), (30, 0.2, 20)])
def test_requests_that_have_just_come_are_no_queue(rate: float, step_s: float, replicas: int) -> None:
    fleet = Fleet(replicas, step_s=15, gauge_step_s=step_s)
    lived = live(fleet, Modelward(spec(200)), lambda _: rate * TOKENS, 6 * HOUR)
    assert lived.peak() == replicas


@pytest.mark.parametrize(("told", "of_ideal"), [(None, 1.8), (1_000, 1.7)], ids=["learned", "told"])
def test_a_day_with_a_noisy_gauge_costs_little_more_than_its_load(told: int | None, of_ideal: float) -> None:
    load = day(0)
    fleet = Fleet(3, step_s=5, gauge_step_s=0.05)
    lived = live(fleet, Modelward(spec(40, told)), lambda now_s: load[int(now_s)], 24 * HOUR)
    assert lived.of_ideal <= of_ideal
    assert lived.late_percent <= 0.6


@pytest.mark.parametrize("cold_s", [30, 120, 300])
@pytest.mark.parametrize(("told", "most"), [(1_000, 20), (None, 23)], ids=["told", "learned"])
def test_the_queue_of_a_cold_start_is_asked_for_once(cold_s: float, told: int | None, most: int) -> None:
    """Load goes from three replicas to twelve within a minute; 17 are planned for twelve."""
    lived = live(
        Fleet(5, cold_s=cold_s),
        Modelward(spec(100, told)),
        lambda now_s: CARRIED * (3 + 9 * max(0.0, min(1.0, (now_s - HOUR) / 60))),
        2 * HOUR,
    )
    assert 17 <= lived.peak() <= most
    assert lived.at(HOUR + 45 * MINUTE) <= 18


@pytest.mark.parametrize("within_s", [1, 30 * MINUTE], ids=["at once", "within half an hour"])
@pytest.mark.parametrize("clients", [60, 100, 300])
def test_a_full_replica_behind_a_gateway_is_not_left_alone(clients: float, within_s: float) -> None:
    """Clients come that each wait for their answer before they ask again; no queue is reported."""
    fleet = Fleet(1, step_s=15)

    def asked(fleet: Fleet) -> UsageSnapshot:
        there = clients * min(1.0, fleet.now_s / within_s)
        work = min(CARRIED * len(fleet.ready), there * CARRIED / SLOTS)
        return UsageSnapshot(len(fleet.replicas), len(fleet.ready), 2, 2, work, work, TOKENS, there, None)

    lived = live(fleet, Modelward(spec(10), asked), lambda _: 0.0, 2 * HOUR)
    assert lived.trail[-1][1] >= min(10, math.ceil(clients / SLOTS))
    assert lived.decision is not None
    assert lived.decision.capacity is not None
    assert lived.decision.capacity.source is Source.LEARNED


def test_a_replica_that_was_tried_in_vain_behind_a_gateway_goes_back() -> None:
    """Forty long answers are written slowly, and one more replica brings no more work."""
    fleet = Fleet(1, step_s=15)

    def asked(fleet: Fleet) -> UsageSnapshot:
        return UsageSnapshot(len(fleet.replicas), len(fleet.ready), 2, 2, 300.0, 300.0, TOKENS, 40.0, None)

    lived = live(fleet, Modelward(spec(10), asked), lambda _: 0.0, 6 * HOUR)
    assert lived.peak() == 2
    assert lived.moves == 2, "one there, one back, and not again"
    assert lived.trail[-1][1] == 1
