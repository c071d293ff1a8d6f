"""Of two leaders only one notes a message, and an answer is noted however long the API server is away."""

from __future__ import annotations

from typing import Any

import pytest
from alert_bench import AlertBench
from test_operator_alerts import TEAM, end

from modelward.kube.errors import Unavailable
from modelward.kube.kinds import JOB, Object


def told_by_another(bench: AlertBench) -> Any:
    """Return what a change makes of an endpoint whose alert another leader has told."""
    at = bench.row()["since"]
    delivery = {"receiver": "shared/sre", "key": "k-1", "told": "Firing", "severity": "Warning", "at": at, "ref": "x"}

    def change(obj: Object) -> Object:
        obj["status"]["alerts"][0]["deliveries"] = [delivery]
        return obj

    return change


async def test_a_leader_whose_store_is_behind_sends_nothing_that_another_has_told() -> None:
    bench = AlertBench()
    await bench.shows("chat", bench.row())
    bench.now_ms += 31_000
    bench.api.changed("chat", told_by_another(bench))
    for _ in range(4):
        await bench.turn(6)
    assert bench.told == []
    assert bench.deliveries("chat")["shared/sre"]["key"] == "k-1"


async def test_an_endpoint_that_others_write_in_between_keeps_what_its_receiver_answered() -> None:
    bench = AlertBench()
    await bench.shows("chat", bench.row())
    bench.now_ms += 31_000
    await bench.alerts.reconcile("retail")
    bench.api.changed("chat")
    await bench.turn()
    await bench.turn(10)
    assert len(bench.told) == 1
    assert bench.deliveries("chat")["shared/sre"]["told"] == "Firing"


@pytest.mark.parametrize("away_s", [5, 600])
async def test_an_api_server_that_is_away_when_the_answer_comes_makes_no_message_come_twice(away_s: int) -> None:
    bench = AlertBench()
    await bench.shows("chat", bench.row())
    bench.now_ms += 31_000
    await bench.alerts.reconcile("retail")

    def away() -> None:
        raise Unavailable(0, "NoAnswer", "connection refused")

    bench.api.before_write = away
    for _ in range(away_s // 5):
        with pytest.raises(Unavailable):
            await bench.turn(5)
    bench.api.before_write = lambda: None
    await bench.turn(5)
    await bench.turn(5)
    assert len(bench.told) == 1
    assert bench.deliveries("chat")["shared/sre"]["told"] == "Firing"


async def test_the_word_of_a_job_is_taken_in_when_the_api_server_is_back() -> None:
    bench = AlertBench(**TEAM)
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    end(bench, told=True)

    def away() -> None:
        raise Unavailable(0, "NoAnswer", "connection refused")

    bench.api.before_write = away
    with pytest.raises(Unavailable):
        await bench.turn(1)
    bench.api.before_write = lambda: None
    await bench.turn(1)
    await bench.turn(60)
    assert bench.deliveries("chat")["team"]["told"] == "Firing"
    assert len(bench.api.store.list(JOB, "retail")) == 1
