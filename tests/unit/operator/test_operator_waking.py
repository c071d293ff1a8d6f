"""A leader begins with everything to look at, and still renews its Lease: no turn of its loop is long."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

import pytest
from fake_api import SETTINGS, FakeApi

from modelward.desired import names
from modelward.kube.client import Client
from modelward.kube.kinds import DEPLOYMENT, EVALUATOR, LLM_ENDPOINT, MONITORING_POLICY, POD, Kind, Object
from modelward.metrics.snapshot import Snapshot
from modelward.operator.runtime import assembly
from modelward.operator.runtime.process import WOKEN_AT_ONCE, Operator
from modelward.operator.runtime.telemetry import Telemetry
from modelward.operator.runtime.work_queue import Lane, WorkKey
from modelward.scrape.pages import PageTarget, Scraper

MANY = 5_000


class Unreachable:
    """A client that nothing is asked of."""

    def guarded(self, _seconds_left: Any) -> Unreachable:
        return self


class Counting:
    """A reconciler that wakes one key for each object, and counts in which turn of the loop it did."""

    def __init__(self) -> None:
        self.turn, self.asked = 0, dict[int, int]()

    async def reconcile(self, _key: WorkKey) -> float | None:
        return None

    def keys_for(self, _kind: Kind, obj: Object, _before: Object | None = None) -> Iterable[WorkKey]:
        self.asked[self.turn] = self.asked.get(self.turn, 0) + 1
        return (WorkKey("endpoint", obj["metadata"]["namespace"], obj["metadata"]["name"]),)


def leading(reconciler: Any, known: Iterable[Object] = ()) -> Operator:
    operator = Operator(SETTINGS, cast("Client", Unreachable()), Telemetry(), lambda _: reconciler)
    for obj in known:
        operator._store.put(LLM_ENDPOINT, obj)
    operator._leading = True
    return operator


def endpoint(number: int, *, observed: int | None = 1, **more: Any) -> Object:
    metadata = {"namespace": f"team-{number % 10}", "name": f"chat-{number:05}", "uid": str(number), "generation": 1}
    status = {} if observed is None else {"observedGeneration": observed}
    return {"metadata": {**metadata, "resourceVersion": str(number + 1), **more}, "spec": {}, "status": status}


async def test_waking_five_thousand_endpoints_leaves_the_loop_a_turn_after_every_few() -> None:
    counting = Counting()
    operator = leading(counting, map(endpoint, range(MANY)))
    operator._wake()
    assert not counting.asked, "before the first of them the Lease may be renewed"
    while operator._waking:
        counting.turn += 1
        await asyncio.sleep(0)
    assert sum(counting.asked.values()) == MANY
    assert max(counting.asked.values()) <= WOKEN_AT_ONCE
    assert operator._queue._schedule.depth(Lane.STATUS, float("inf")) == MANY


async def test_what_is_declared_and_not_carried_out_goes_ahead_of_what_is_looked_at_again() -> None:
    operator = leading(Counting(), (endpoint(n, observed=observed) for n, observed in enumerate((1, None, 1, 0))))
    await operator._wake_all(None)
    ahead = {key.name for key, item in operator._queue._schedule._pending.items() if item.lane is Lane.SPEC}
    assert ahead == {"chat-00001", "chat-00003"}


async def test_one_odd_object_keeps_no_other_from_being_woken() -> None:
    counting = Counting()
    operator = leading(counting, (endpoint(0), {**endpoint(1), "status": -1}, endpoint(2)))
    await operator._wake_all(None)
    assert sum(counting.asked.values()) == 3


@pytest.mark.parametrize(
    ("change", "lane"),
    [({"status": {"observedGeneration": 1, "health": "Healthy"}}, Lane.STATUS), ({"generation": 2}, Lane.SPEC)],
    ids=["our own status", "a new spec"],
)
async def test_our_own_status_waits_behind_what_people_declare(change: dict[str, Any], lane: Lane) -> None:
    one = endpoint(1)
    operator = leading(Counting(), (one,))
    metadata = {**one["metadata"], "resourceVersion": "99"} | {k: v for k, v in change.items() if k != "status"}
    operator._store.put(LLM_ENDPOINT, {**one, "metadata": metadata, "status": change.get("status", one["status"])})
    (item,) = operator._queue._schedule._pending.values()
    assert item.lane is lane


def _obj(kind: str, name: str, generation: int = 1, status: Any = None, **spec: Any) -> Object:
    metadata = {"name": name, "namespace": "retail", "uid": name, "generation": generation, "labels": {}}
    api = "apps/v1" if kind == "Deployment" else "modelward.dev/v1alpha1"
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec, "status": status or {}}


def _endpoint(generation: int, **status: Any) -> Object:
    return _obj("LLMEndpoint", "chat", generation, status, backend={"workloadRef": {"name": "vllm"}})


def _policy(generation: int, **status: Any) -> Object:
    return _obj("MonitoringPolicy", "baseline", generation, status)


@pytest.mark.parametrize(
    ("kind", "before", "after", "woken"),
    [
        (LLM_ENDPOINT, _endpoint(1, usage=1), _endpoint(1, usage=2), {"endpoint/chat"}),
        (LLM_ENDPOINT, _endpoint(1), _endpoint(1, health="Degraded"), {"endpoint/chat", "policy/baseline"}),
        (
            LLM_ENDPOINT,
            _endpoint(1),
            _endpoint(2),
            {"endpoint/chat", "endpoint/canary", "policy/baseline", "schedule/"},
        ),
        (MONITORING_POLICY, _policy(1), _policy(1, endpoints=2), {"policy/baseline"}),
        (MONITORING_POLICY, _policy(1), _policy(2), {"policy/baseline", "endpoint/chat", "endpoint/canary"}),
        (
            LLM_ENDPOINT,
            _endpoint(1),
            _endpoint(1, alerts=[{"policy": "baseline", "name": "NotReady"}]),
            {"endpoint/chat", "alerts/"},
        ),
        (EVALUATOR, _obj("Evaluator", "pii"), _obj("Evaluator", "pii", 1, {"version": "1"}), {"evaluator/pii"}),
    ],
)
def test_what_we_report_ourselves_wakes_only_who_reads_it(
    kind: Kind, before: Object, after: Object, woken: set[str]
) -> None:
    api = FakeApi()
    for each in ("chat", "canary"):
        api.put(_obj("LLMEndpoint", each, backend={"workloadRef": {"name": "vllm"}}))
    api.put(_obj("MonitoringPolicy", "baseline", endpointSelector={}))
    found = assembly.build(api.context).keys_for(kind, after, before)
    assert {f"{key.work}/{key.name}" for key in found} == woken


def test_a_change_of_one_workload_touches_no_endpoint_but_those_that_refer_to_it() -> None:
    api = FakeApi()
    reconciler = assembly.build(api.context)
    for number in range(50):
        api.put(_obj("LLMEndpoint", f"chat-{number}", backend={"workloadRef": {"name": f"vllm-{number}"}}))
    touched: list[str] = []

    class Spec(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            touched.append(key)
            return super().get(key, default)

    workload = _obj("Deployment", "vllm-7")
    list(reconciler.keys_for(DEPLOYMENT, workload))
    for number in range(50):
        stored = api.store.get(LLM_ENDPOINT, "retail", f"chat-{number}")
        assert stored is not None
        stored["spec"] = Spec(stored["spec"])
    assert {key.name for key in reconciler.keys_for(DEPLOYMENT, workload)} == {"chat-7"}
    assert touched == []


async def test_a_plan_that_changed_wakes_the_schedule_and_the_policies_once() -> None:
    api = FakeApi()
    api.put(_endpoint(1))
    api.put(_obj("MonitoringPolicy", "baseline", endpointSelector={}))
    reconciler = assembly.build(api.context)
    await reconciler.reconcile(WorkKey("endpoint", "retail", "chat"))
    asked = [write[1:] for write in api.writes if write[0] == "enqueue"]
    assert asked == [("schedule", ""), ("policy", "baseline")]
    await reconciler.reconcile(WorkKey("endpoint", "retail", "chat"))
    assert [write[1:] for write in api.writes if write[0] == "enqueue"] == asked


def test_pods_of_an_endpoint_are_found_by_its_label_alone() -> None:
    api = FakeApi()
    for number in range(20):
        labels = names.selector(f"chat-{number}", "model")
        metadata = {"name": f"pod-{number}", "namespace": "retail", "labels": labels}
        api.put({"apiVersion": "v1", "kind": "Pod", "metadata": metadata})
    api.store.list(POD, "retail", names.selector("chat-1", "model"))
    lookup = api.store._objects[POD]._lookups
    assert list(lookup) == [names.ENDPOINT]


class Instant:
    """A scraper for which no page takes any time."""

    async def scrape(self, target: PageTarget, _before: Snapshot | None = None) -> Snapshot:
        return Snapshot(target.pod, 0, "collector")


@pytest.mark.parametrize(("observed", "lane"), [(1, Lane.STATUS), (0, Lane.SPEC)])
async def test_an_endpoint_whose_spec_is_not_carried_out_goes_ahead_when_it_was_read(observed: int, lane: Lane) -> None:
    asked: list[tuple[str, Lane]] = []
    api = FakeApi()
    api.put({"apiVersion": "modelward.dev/v1alpha1", "kind": "LLMEndpoint", **endpoint(1, observed=observed)})

    def enqueue(key: WorkKey, lane: Lane = Lane.SPEC, after: float = 0.0) -> None:
        assert after == 0.0
        asked.append((key.name, lane))

    observer = assembly.build(replace(api.context, enqueue=enqueue)).endpoints.observer
    observer.watch("team-1/chat-00001", [PageTarget("a", "http://a/metrics", "vllm", "collector")])
    await observer.round(cast("Scraper", Instant()))
    assert asked == [("chat-00001", lane)]
