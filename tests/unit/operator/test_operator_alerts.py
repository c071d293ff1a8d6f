"""What is due is noted, sent and noted again; whatever ends in between, the next process carries it on."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from alert_bench import AlertBench

from modelward.alerts.receiver import Told, Undelivered
from modelward.kube.errors import Forbidden
from modelward.kube.kinds import JOB, LLM_ENDPOINT, POD


async def test_an_alert_is_told_once_with_what_why_since_when_and_how_sure() -> None:
    bench = AlertBench()
    evidence = {"policy": "baseline", "name": "errors", "value": "4.2%", "samples": 812, "verdict": "Failed"}
    changed = {"time": "2026-11-24T09:40:00Z", "kind": "Revision", "message": "7c9f → 8d01"}
    await bench.shows("chat", bench.row(), metrics=[evidence], changes=[changed])
    assert await bench.turn() == pytest.approx(30, abs=1)
    assert bench.told == []
    await bench.turn(31)
    await bench.turn(5)
    assert bench.told == [("sre", "Firing", ["chat Objective/errors"])]
    (_, message) = bench.port.taken[0]
    (fact,) = message.alerts
    assert (fact.what, fact.evidence.sentence) == ("errors: 4.2%, limit 1%, n=812", "4.2%, limit 1%, n=812")
    assert fact.next_command == "modelward explain retail/chat"
    assert fact.url == "https://mw.example.com/endpoints/retail/chat"
    assert (message.cluster, message.open, message.over) == ("prod", 1, False)
    known = bench.deliveries("chat")["shared/sre"]
    assert (known["told"], known["ref"], known.get("sending"), known.get("problem")) == (
        "Firing", "thread-1", None, None,
    )  # fmt: skip


async def test_the_end_is_told_under_the_same_key_and_the_row_is_given_up() -> None:
    bench = AlertBench()
    firing = bench.row()
    await bench.shows("chat", firing)
    await bench.turn(31)
    await bench.shows("chat", firing | {"state": "Resolved", "since": bench.row()["since"]})
    await bench.turn(301)
    (first, second) = (message for _, message in bench.port.taken)
    assert (second.kind, second.over, second.key) == ("Resolved", True, first.key)
    assert second.id != first.id
    await bench.shows("chat")
    assert bench.deliveries("chat")["shared/sre"]["told"] == "Resolved"
    assert await bench.turn(5) == 1e9
    assert (bench.api.store.get(LLM_ENDPOINT, "retail", "chat") or {})["status"]["alerts"] == []


async def test_at_rest_nothing_is_written() -> None:
    bench = AlertBench()
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    before = len(bench.api.writes)
    for _ in range(20):
        await bench.turn(30)
    assert [one for one in bench.api.writes[before:] if one[0] != "enqueue"] == []


@pytest.mark.parametrize("writes", range(5))
async def test_a_crash_before_any_write_doubles_at_most_one_message_under_its_id(writes: int) -> None:
    bench = AlertBench()
    for name in ("a", "b"):
        await bench.shows(name, bench.row())
    await bench.crashing(writes, bench.turn(31))
    await bench.turn(20)
    await bench.turn(20)
    ids = Counter(message.id for _, message in bench.port.taken)
    assert sum(ids.values()) - len(ids) == (1 if writes >= 3 else 0)
    told = Counter(fact.endpoint for _, message in bench.port.taken for fact in message.alerts)
    assert max(told.values()) == (2 if writes >= 3 else 1)
    assert {name: bench.deliveries(name)["shared/sre"]["told"] for name in ("a", "b")} == {"a": "Firing", "b": "Firing"}


async def test_a_failing_receiver_is_tried_again_ever_later_and_says_so() -> None:
    bench = AlertBench()
    bench.port.answer = lambda _: Undelivered("HTTP 503")
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    for _ in range(600):
        await bench.turn(1)
    assert 8 <= len(bench.port.taken) <= 12
    assert len({message.id for _, message in bench.port.taken}) == 1
    assert bench.deliveries("chat")["shared/sre"]["problem"] == "HTTP 503"
    bench.port.answer = lambda _: Told()
    await bench.turn(301)
    assert "problem" not in bench.deliveries("chat")["shared/sre"]


async def test_a_receiver_that_asks_for_a_pause_gets_it() -> None:
    bench = AlertBench()
    bench.port.answer = lambda _: Undelivered("HTTP 429", retry_after_s=120)
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    for _ in range(110):
        await bench.turn(1)
    assert len(bench.port.taken) == 1
    await bench.turn(15)
    assert len(bench.port.taken) == 2


async def test_what_fails_for_five_minutes_is_told_to_the_fallback() -> None:
    bench = AlertBench(receivers=[{"name": "gone", "shared": "gone"}], fallback="sre")
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    assert bench.deliveries("chat")["shared/gone"]["problem"] == "the platform offers no receiver of this name"
    assert bench.told == []
    await bench.turn(301)
    assert bench.told == [("sre", "Firing", ["chat Objective/errors"])]


async def test_a_person_silences_and_acknowledges_and_the_end_is_told_all_the_same() -> None:
    bench = AlertBench()
    firing = bench.row()
    await bench.shows("chat", firing)
    await bench.turn(31)
    bench.silence("ack", endpoint="chat", alerts=["Objective/errors"], until="2027-01-01T00:00:00Z", untilResolved=True)
    for _ in range(4):
        await bench.turn(6 * 3_600)
    assert len(bench.told) == 1
    shown = bench.silence_status("ack").status
    assert (shown.state, shown.covers, shown.until[:10]) == ("Active", 1, "2026-12-24")
    await bench.shows("chat", firing | {"state": "Resolved"})
    await bench.turn(10)
    assert [kind for _, kind, _ in bench.told] == ["Firing", "Resolved"]
    assert bench.silence_status("ack").status.state == "Expired"


async def test_not_ready_explains_the_rest_of_its_endpoint() -> None:
    bench = AlertBench()
    await bench.shows("chat", bench.row(), bench.row("NotReady", severity="Critical"))
    await bench.turn(31)
    assert bench.told == [("sre", "Firing", ["chat NotReady"])]


async def test_endpoints_that_all_fail_are_one_message() -> None:
    bench = AlertBench(routes=[{"receivers": ["sre"], "groupBy": ["Endpoint"]}])
    for number in range(300):
        await bench.shows(f"e{number}", bench.row("NotReady", severity="Critical"))
    await bench.turn(31)
    assert len(bench.port.taken) == 1
    (_, message) = bench.port.taken[0]
    assert message.title == "300 endpoints of retail do not serve"
    assert (len(message.alerts), message.more) == (20, 280)


async def test_an_endpoint_that_is_deleted_while_it_fires_is_closed_at_its_receivers() -> None:
    bench = AlertBench()
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    gone = bench.api.store.get(LLM_ENDPOINT, "retail", "chat")
    assert gone is not None
    bench.api.store.remove(LLM_ENDPOINT, {**gone, "metadata": {**gone["metadata"], "resourceVersion": "9999"}})
    await bench.turn(301)
    await bench.turn(301)
    assert [(kind, [fact.held for fact in message.alerts]) for (_, kind, _), (_, message) in
            zip(bench.told[1:], bench.port.taken[1:], strict=True)] == [("Closed", ["EndpointDeleted"])]  # fmt: skip


async def test_an_alertmanager_hears_each_minute_what_fires_and_status_is_not_written_for_it() -> None:
    bench = AlertBench(receivers=[{"name": "am", "shared": "am"}])
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    before = len(bench.api.writes)
    for _ in range(30):
        await bench.turn(20)
    assert 10 <= len(bench.port.taken) <= 12
    assert {kind for _, kind, _ in bench.told} == {"Firing", "Repeated"}
    assert [one for one in bench.api.writes[before:] if one[0] != "enqueue"] == []


async def test_a_status_that_cannot_be_written_is_not_told_and_others_are() -> None:
    bench = AlertBench(routes=[{"receivers": ["sre"], "groupBy": ["Endpoint"]}])
    for name in ("a", "b"):
        await bench.shows(name, bench.row())
    bench.api.refusals["status"] = Forbidden(403, "Forbidden", "no right")
    await bench.turn(31)
    assert bench.told == []
    bench.api.refusals.clear()
    await bench.turn(10)
    assert len(bench.told) == 2


SECRET = {"secretRef": {"name": "modelward-alerts", "key": "slack"}}
TEAM = {"receivers": [{"name": "team", "slack": {"webhookUrlFrom": SECRET}}]}


async def test_a_team_is_told_by_one_job_that_mounts_its_secret_and_leaves_word() -> None:
    bench = AlertBench(**TEAM)
    for name in ("a", "b"):
        await bench.shows(name, bench.row())
    await bench.turn(31)
    (job,) = bench.api.store.list(JOB, "retail")
    pod = job["spec"]["template"]
    assert pod["spec"]["serviceAccountName"] == "modelward-notify"
    assert [one["secret"]["secretName"] for one in pod["spec"]["volumes"] if "secret" in one] == ["modelward-alerts"]
    await bench.shows("c", bench.row())
    await bench.turn(60)
    assert len(bench.api.store.list(JOB, "retail")) == 1, "one at a time"
    end(bench, told=True)
    await bench.turn(1)
    known = bench.deliveries("a")["team"]
    assert (known["told"], known["ref"], known.get("sending")) == ("Firing", "1700000000.1", None)
    await bench.turn(301)
    assert len(bench.api.store.list(JOB, "retail")) == 2


async def test_the_word_of_a_job_is_read_by_the_next_leader_too() -> None:
    bench = AlertBench(**TEAM)
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    end(bench, told=True)
    bench.restart()
    await bench.turn(5)
    assert bench.deliveries("chat")["team"]["told"] == "Firing"
    assert len(bench.api.store.list(JOB, "retail")) == 1


async def test_a_secret_that_is_not_there_is_named_and_tried_again() -> None:
    bench = AlertBench(**TEAM)
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    end(bench, told=False)
    await bench.turn(1)
    assert bench.deliveries("chat")["team"]["problem"] == "SecretNotFound (modelward-alerts/slack)"
    await bench.turn(60)
    assert len(bench.api.store.list(JOB, "retail")) == 1
    await bench.turn(301)
    assert len(bench.api.store.list(JOB, "retail")) == 2


async def test_a_job_that_ends_without_word_is_tried_again() -> None:
    bench = AlertBench(**TEAM)
    await bench.shows("chat", bench.row())
    await bench.turn(31)
    (job,) = bench.api.store.list(JOB, "retail")
    failed = {"conditions": [{"type": "Failed", "status": "True", "message": "DeadlineExceeded"}]}
    bench.api.put({**job, "status": failed})
    await bench.turn(1)
    assert bench.deliveries("chat")["team"]["problem"] == "Job Failed: DeadlineExceeded"
    await bench.turn(2)
    assert len(bench.api.store.list(JOB, "retail")) == 2


def end(bench: AlertBench, *, told: bool) -> None:
    """Let the newest Job end with its word on each message."""
    job = bench.api.store.list(JOB, "retail")[-1]
    plan = json.loads(job["spec"]["template"]["metadata"]["annotations"]["modelward.dev/notify-plan"])
    word = {"told": True, "ref": "1700000000.1"}
    if not told:
        word = {"told": False, "problem": "SecretNotFound (modelward-alerts/slack)", "permanent": True}
    text = json.dumps([{"id": one["id"], **word} for one in plan["orders"]])
    name = job["metadata"]["name"]
    labels = {"modelward.dev/notify": name, "modelward.dev/component": "notifier"}
    ended = {"name": "notify", "state": {"terminated": {"message": text}}}
    about = {"name": f"{name}-x", "namespace": "retail", "labels": labels}
    bench.api.put({"apiVersion": "v1", "kind": "Pod", "metadata": about, "status": {"containerStatuses": [ended]}})
    bench.api.put({**job, "status": {"conditions": [{"type": "Complete", "status": "True"}]}})
    assert bench.api.store.list(POD, "retail", {"modelward.dev/notify": name})
