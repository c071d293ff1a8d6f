"""What is deleted while receivers believe it to fire is closed there, by whoever leads then."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest
from alert_bench import AlertBench
from test_operator_alerts import TEAM

from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.ledger import AlertLedger, LedgerRow
from modelward.kube.errors import Forbidden, NamespaceEnding
from modelward.kube.kinds import CONFIG_MAP, JOB, LLM_ENDPOINT, MONITORING_POLICY, Object
from modelward.operator.alerts.told_ledger import ToldLedger

HELD = "EndpointDeleted"


def remembered(bench: AlertBench) -> Object | None:
    return bench.api.store.get(CONFIG_MAP, "modelward-system", "modelward-told-retail")


def endpoint(bench: AlertBench) -> None:
    bench.deleted("chat")


def endpoint_and_policy(bench: AlertBench) -> None:
    bench.policy_deleted()
    bench.deleted("chat")


def policy_stops(bench: AlertBench) -> None:
    """Let the endpoint's own reconcile take the alerts of a policy away that asks for none any more."""
    bench.policy_deleted()
    bench.api.rows["chat", "modelward"] = []
    bench.api.put({**(bench.api.store.get(LLM_ENDPOINT, "retail", "chat") or {}), "status": {"alerts": []}})


async def firing(bench: AlertBench) -> None:
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    assert [kind for _, kind, _ in bench.told] == ["Firing"]


@pytest.mark.parametrize(("goes", "held"), [(endpoint, HELD), (endpoint_and_policy, HELD), (policy_stops, "Removed")])
@pytest.mark.parametrize("changes", [False, True], ids=["same-leader", "another-leader"])
async def test_what_goes_while_it_fires_is_closed_at_its_receivers_once(
    goes: Callable[[AlertBench], None], held: str, *, changes: bool
) -> None:
    bench = AlertBench()
    await firing(bench)
    goes(bench)
    if changes:
        bench.restart()
    for _ in range(6):
        await bench.turn(151)
    ((_, kind, alerts),) = bench.told[1:]
    (first, last) = (message for _, message in bench.port.taken)
    assert (kind, alerts) == ("Closed", ["chat Objective/errors"])
    assert (last.alerts[0].held, last.key, last.open) == (held, first.key, 0)
    assert last.id != first.id


async def test_what_is_remembered_is_in_modelwards_namespace_and_goes_with_the_last_word() -> None:
    bench = AlertBench()
    await firing(bench)
    assert remembered(bench) is not None
    endpoint_and_policy(bench)
    bench.restart()
    for _ in range(4):
        await bench.turn(151)
    assert remembered(bench) is None


async def test_a_new_leader_is_woken_for_a_namespace_of_which_nothing_is_left() -> None:
    bench = AlertBench()
    await firing(bench)
    endpoint_and_policy(bench)
    bench.restart()
    before = len(bench.api.writes)
    await bench.alerts.recall()
    assert bench.api.writes[before:] == [("enqueue", "alerts", "")]


async def test_a_teams_own_receiver_is_told_as_its_policy_last_had_it() -> None:
    bench = AlertBench(**TEAM)
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    (job,) = bench.api.store.list(JOB, "retail")
    bench.api.put({**job, "status": {"conditions": [{"type": "Failed", "status": "True", "message": "Evicted"}]}})
    endpoint_and_policy(bench)
    bench.restart()
    for _ in range(4):
        await bench.turn(151)
    orders = [
        (order["message"]["kind"], order["receiver"]["slack"]["webhookUrlFrom"]["secretRef"]["name"])
        for job in bench.api.store.list(JOB, "retail")
        for order in json.loads(job["spec"]["template"]["metadata"]["annotations"]["modelward.dev/notify-plan"])[
            "orders"
        ]
    ]
    assert sorted(orders) == [("Closed", "modelward-alerts"), ("Firing", "modelward-alerts")]


async def test_where_the_namespace_goes_the_platform_is_told_and_a_team_is_tried_no_longer_than_others() -> None:
    both = [*TEAM["receivers"], {"name": "sre", "shared": "sre"}]
    bench = AlertBench(receivers=both)
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    (job,) = bench.api.store.list(JOB, "retail")
    bench.api.gone(JOB, "retail", job["metadata"]["name"])
    endpoint_and_policy(bench)
    bench.restart()
    bench.api.refusals["create"] = NamespaceEnding(403, "Forbidden", "retail is being terminated")
    for _ in range(4):
        await bench.turn(151)
    assert [kind for _, kind, _ in bench.told] == ["Firing", "Closed"]
    assert remembered(bench) is not None
    for _ in range(60):
        await bench.turn(301)
    assert remembered(bench) is None, "after four hours, as of what is not Critical"


async def ended(bench: AlertBench) -> None:
    for _ in range(8):
        await bench.turn(101)


@pytest.mark.parametrize("writes", range(3))
async def test_a_crash_before_any_write_closes_it_at_most_twice_under_one_id(writes: int) -> None:
    bench = AlertBench()
    await firing(bench)
    bench.deleted("chat")
    await bench.crashing(writes, ended(bench))
    for _ in range(6):
        await bench.turn(101)
    closed = Counter(message.id for _, message in bench.port.taken if message.kind == "Closed")
    assert len(closed) == 1
    assert sum(closed.values()) <= 2
    assert remembered(bench) is None


async def test_one_that_is_made_again_and_fires_again_ends_by_its_own_verdict() -> None:
    bench = AlertBench()
    await firing(bench)
    bench.deleted("chat")
    bench.restart()
    bench.now_ms += 60_000
    again = bench.row()
    await bench.shows("chat", again)
    for _ in range(6):
        await bench.turn(151)
    assert [kind for _, kind, _ in bench.told] == ["Firing"], "its receiver believes what is true"
    await bench.shows("chat", again | {"state": "Resolved", "since": bench.row()["since"]})
    await bench.turn(301)
    assert [kind for _, kind, _ in bench.told] == ["Firing", "Resolved"]


async def test_of_a_policy_that_cannot_be_read_nothing_is_said() -> None:
    bench = AlertBench()
    await firing(bench)
    policy = bench.api.store.get(MONITORING_POLICY, "retail", "baseline") or {}
    bench.api.put({**policy, "spec": {"endpointSelector": {}, "alerts": {"receivers": "of another release"}}})
    bench.api.rows["chat", "modelward"] = []
    bench.api.put({**(bench.api.store.get(LLM_ENDPOINT, "retail", "chat") or {}), "status": {"alerts": []}})
    bench.restart()
    for _ in range(6):
        await bench.turn(151)
    assert [kind for _, kind, _ in bench.told] == ["Firing"]
    assert remembered(bench) is not None


async def test_a_receiver_that_its_policy_has_taken_out_is_told_nothing_more() -> None:
    bench = AlertBench()
    await firing(bench)
    bench.policy({"receivers": [{"name": "am", "shared": "am"}]})
    bench.deleted("chat")
    bench.restart()
    for _ in range(4):
        await bench.turn(151)
    assert len(bench.told) == 1
    assert remembered(bench) is None


async def test_without_the_right_to_remember_alerts_are_told_and_closed_while_the_process_lasts() -> None:
    bench = AlertBench()
    bench.api.refusals["apply"] = Forbidden(403, "Forbidden", "no right on configmaps")
    await firing(bench)
    bench.deleted("chat")
    for _ in range(4):
        await bench.turn(151)
    assert [kind for _, kind, _ in bench.told] == ["Firing", "Closed"]


async def test_of_two_leaders_one_alone_notes_the_end() -> None:
    bench = AlertBench()
    await firing(bench)
    behind = bench.alerts
    bench.deleted("chat")
    bench.restart()
    bench.now_ms += 301_000
    await bench.alerts.reconcile("retail")
    written = len(bench.api.writes)
    await behind.reconcile("retail")
    assert [verb for verb, _, _ in bench.api.writes[written:] if verb != "enqueue"] == []
    assert remembered(bench) is not None


async def test_a_large_ledger_is_written_less_often_than_small_ones() -> None:
    bench = AlertBench()
    told = ToldLedger(bench.context)
    await told.load("retail")
    known = AlertDelivery("shared/sre", "k-1", "Firing", "Warning", bench.now_ms)
    rows = tuple(LedgerRow(f"e{one}", "baseline", "NotReady", bench.now_ms, "Critical", known) for one in range(5_000))
    waits: dict[int, float] = {}
    for number in (10, 5_000):
        assert await told.write("retail", AlertLedger(rows[:number]))
        waits[number] = told.wait_s("retail", AlertLedger())
    assert waits[10] == 0.0
    assert 2.0 <= waits[5_000] <= 9.0
    bench.now_ms += 9_000
    assert told.wait_s("retail", AlertLedger()) == 0.0
