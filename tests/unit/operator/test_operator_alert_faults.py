"""Receivers, the API server and clocks in trouble, in virtual time: nothing is lost, doubled or made up."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from alert_bench import AlertBench
from test_operator_alerts import TEAM

from modelward.alerts.receiver import Told, Undelivered
from modelward.kube.errors import Unavailable
from modelward.kube.kinds import JOB

HOUR_MS = 3_600_000


async def test_a_receiver_that_answers_500_for_half_an_hour_is_told_once_and_soon_after() -> None:
    bench = AlertBench()
    bench.port.answer = lambda _: Undelivered("HTTP 500")
    firing = bench.row()
    await bench.shows("chat", firing)
    await bench.turn(31)
    for _ in range(180):
        await bench.turn(10)
    assert 10 <= len(bench.port.taken) <= 20
    assert bench.deliveries("chat")["shared/sre"]["problem"] == "HTTP 500"
    tried = len(bench.port.taken)
    bench.port.answer = lambda _: Told()
    for _ in range(31):
        await bench.turn(10)
    assert len(bench.port.taken) == tried + 1
    assert len({message.id for _, message in bench.port.taken}) == 1
    known = bench.deliveries("chat")["shared/sre"]
    assert (known["told"], "problem" in known) == ("Firing", False)


async def test_an_alert_that_ends_while_its_receiver_answers_500_is_told_in_its_last_state() -> None:
    bench = AlertBench()
    bench.port.answer = lambda _: Undelivered("HTTP 500")
    firing = bench.row()
    await bench.shows("chat", firing)
    await bench.turn(31)
    await bench.shows("chat", firing | {"state": "Resolved", "since": bench.row()["since"]})
    bench.port.answer = lambda _: Told()
    for _ in range(40):
        await bench.turn(10)
    assert bench.told[-1] == ("sre", "Resolved", ["chat Objective/errors"])
    assert len({message.id for _, message in bench.port.taken}) == 1, "it may have arrived, so it keeps its id"


async def test_while_the_api_server_is_away_for_ten_minutes_nothing_is_sent_and_then_it_is_once() -> None:
    bench = AlertBench()
    await bench.shows("chat", bench.row())

    def away() -> None:
        raise Unavailable(0, "NoAnswer", "connection refused")

    bench.api.before_write = away
    bench.now_ms += 31_000
    for _ in range(60):
        with pytest.raises(Unavailable):
            await bench.turn(10)
    assert bench.told == []
    bench.api.before_write = lambda: None
    for _ in range(6):
        await bench.turn(10)
    assert bench.told == [("sre", "Firing", ["chat Objective/errors"])]


@pytest.mark.parametrize("jump_ms", [-HOUR_MS, HOUR_MS])
async def test_a_clock_that_jumps_by_an_hour_tells_nothing_twice_and_the_end_in_time(jump_ms: int) -> None:
    bench = AlertBench()
    firing = bench.row()
    await bench.shows("chat", firing)
    await bench.turn(31)
    bench.skew_ms = jump_ms
    for _ in range(60):
        await bench.turn(30)
    assert len(bench.told) == 1
    bench.skew_ms = 0
    for _ in range(60):
        await bench.turn(30)
    assert len(bench.told) == 1
    bench.skew_ms = jump_ms
    await bench.shows("chat", firing | {"state": "Resolved", "since": bench.row()["since"]})
    for _ in range(11):
        await bench.turn(30)
    assert [kind for _, kind, _ in bench.told] == ["Firing", "Resolved"]
    assert max(Counter(message.id for _, message in bench.port.taken).values()) == 1


@pytest.mark.parametrize("jump_ms", [-HOUR_MS, HOUR_MS])
async def test_a_message_that_is_under_way_when_the_clock_jumps_keeps_its_id(jump_ms: int) -> None:
    bench = AlertBench()
    bench.port.answer = lambda _: Undelivered("Timeout")
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    bench.skew_ms = jump_ms
    bench.port.answer = lambda _: Told()
    for _ in range(3):
        await bench.turn(10)
    assert len({message.id for _, message in bench.port.taken}) == 1
    assert bench.deliveries("chat")["shared/sre"]["told"] == "Firing"


@pytest.mark.parametrize(("group_by", "messages"), [([], 1), (["Alert"], 2), (["Severity"], 2)])
async def test_300_endpoints_that_fail_at_once_are_one_message_for_each_group(
    group_by: list[str], messages: int
) -> None:
    bench = AlertBench(routes=[{"receivers": ["sre"], "groupBy": group_by}])
    for number in range(300):
        name, severity = (("Objective/errors", "Warning"), ("Check/pii", "Critical"))[number % 2]
        await bench.shows(f"e{number}", bench.row(name, severity=severity))
    await bench.turn(31)
    for _ in range(4):
        await bench.turn(150)
    assert len(bench.port.taken) == messages
    assert sum(len(message.alerts) + message.more for _, message in bench.port.taken) == 300


async def test_300_endpoints_that_fail_at_once_are_one_job_of_their_team() -> None:
    bench = AlertBench(**TEAM)
    for number in range(300):
        await bench.shows(f"e{number}", bench.row())
    for _ in range(4):
        await bench.turn(31)
    (job,) = bench.api.store.list(JOB, "retail")
    plan = json.loads(job["spec"]["template"]["metadata"]["annotations"]["modelward.dev/notify-plan"])
    assert len(plan["orders"]) == 1
