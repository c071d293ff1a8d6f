"""Sweeps mend the store whatever the API server does, and hints arrive in order from another thread."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any, cast

import pytest
from fake_api import SETTINGS
from virtual_time import in_virtual_time, now
from waiting import until

from modelward.kube.client import Client, Listing
from modelward.kube.errors import ApiError, Forbidden, NotFound, Unavailable
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, POD, Kind, Object
from modelward.kube.store import Store
from modelward.operator.cache.kopf_watch import Watched
from modelward.operator.cache.resync import PAGE, Resync
from modelward.operator.cache.watcher import BATCH, Inbox
from modelward.operator.runtime.process import Operator
from modelward.operator.runtime.telemetry import Telemetry
from modelward.operator.runtime.work_queue import WorkKey


class Worked:
    """A reconciler that notes what it is asked for."""

    def __init__(self) -> None:
        self.keys: list[WorkKey] = []
        self.silent: list[str] = []

    async def reconcile(self, key: WorkKey) -> float | None:
        self.keys.append(key)
        return None

    def keys_for(self, _kind: Kind, _obj: Object, _before: Object | None = None) -> Iterable[WorkKey]:
        return ()

    def fall_silent(self, namespace: str) -> None:
        self.silent.append(namespace)


def pod(name: str, version: int) -> Object:
    return {"metadata": {"name": name, "namespace": "a", "resourceVersion": str(version)}}


class Lists:
    """A client that lists what it is told to, or raises it."""

    def __init__(self, **answers: Listing | ApiError) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str | None, str | None]] = []

    def guarded(self, _seconds_left: Any) -> "Lists":
        return self

    async def list(self, kind: Kind, namespace: str | None = None, *, label_selector: str | None = None) -> Listing:
        self.asked.append((kind.kind, namespace, label_selector))
        answer = self.answers.get(f"{namespace}/{kind.kind}") or self.answers.get(kind.kind, Listing((), "1"))
        if isinstance(answer, ApiError):
            raise answer
        return answer

    async def pages(
        self, kind: Kind, namespace: str | None = None, *, label_selector: str | None = None, page: int = 1
    ) -> AsyncIterator[Listing]:
        """One object on a page, and at least one page."""
        whole = await self.list(kind, namespace, label_selector=label_selector)
        for start in range(0, max(1, len(whole.items)), page):
            yield Listing(whole.items[start : start + page], whole.resource_version)


def sweeping(lists: Lists, *watched: Watched, namespaces: tuple[str, ...] = ()) -> tuple[Resync, Store, Telemetry]:
    store, telemetry = Store(), Telemetry()
    return Resync(cast("Client", lists), store, watched, namespaces, telemetry, 0.01), store, telemetry


def refused(what: str) -> Forbidden:
    return Forbidden(403, "Forbidden", f"may not list {what}")


async def once(sweep: Resync, rounds: float = 0.0) -> None:
    task = asyncio.create_task(sweep.run())
    await asyncio.sleep(0.005 + rounds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@in_virtual_time
async def test_sweep_lists_each_kind_by_its_selector_in_each_namespace() -> None:
    lists = Lists()
    sweep, _, _ = sweeping(lists, Watched(POD, "app=web"), Watched(DEPLOYMENT), namespaces=("a", "b"))
    await once(sweep)
    assert lists.asked[:3] == [("Pod", "a", "app=web"), ("Pod", "b", "app=web"), ("Deployment", "a", None)]
    assert sweep.problem() is None


class SlowLists(Lists):
    """One whose pages take 50 ms each, as long as others wait; notes when each was requested."""

    def __init__(self, **answers: Listing | ApiError) -> None:
        super().__init__(**answers)
        self.at_s: list[float] = []

    async def pages(
        self, kind: Kind, namespace: str | None = None, *, label_selector: str | None = None, page: int = 1
    ) -> AsyncIterator[Listing]:
        async for each in super().pages(kind, namespace, label_selector=label_selector, page=page):
            self.at_s.append(now())
            await asyncio.sleep(0.05)
            yield each


@in_virtual_time
async def test_sweep_leaves_the_loop_to_others_and_begins_on_time_however_many_pages_there_are() -> None:
    """A burst of pages holds up what people change; one after another, they are as fresh a minute later."""
    pods = Listing(tuple(pod(f"p-{number}", number + 1) for number in range(20 * PAGE)), "90000")
    lists = SlowLists(Pod=pods)
    sweep = Resync(cast("Client", lists), Store(), [Watched(POD)], (), Telemetry(), 45.0)
    task = asyncio.create_task(sweep.run())
    await asyncio.sleep(100.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    rounds = [lists.at_s[start : start + 20] for start in (0, 20, 40)]
    assert [each[0] - lists.at_s[0] for each in rounds] == pytest.approx([0.0, 45.0, 90.0])
    assert rounds[0][-1] - rounds[0][0] == pytest.approx(19 * 0.05), "the first round fills the store"
    assert rounds[1][-1] - rounds[1][0] == pytest.approx(19 * 0.1)


@in_virtual_time
async def test_sweep_without_rights_says_so_until_they_come() -> None:
    lists = Lists(Pod=Forbidden(403, "Forbidden", "may not list pods"))
    sweep, _, telemetry = sweeping(lists, Watched(POD), Watched(DEPLOYMENT))
    assert sweep.problem() == "nothing was listed yet"
    await once(sweep)
    assert sweep.problem() == "pods: 403 Forbidden: may not list pods"
    assert not sweep.done_once.is_set()
    assert telemetry.registry.get_sample_value("modelward_sweep_errors_total", {"kind": "Pod"}) == 1
    lists.answers.clear()
    await once(sweep)
    assert sweep.done_once.is_set()
    assert sweep.problem() is None


@in_virtual_time
async def test_sweep_one_namespace_that_is_gone_keeps_no_other_from_being_led() -> None:
    lists = Lists(**{"a/Pod": refused("pods"), "a/Deployment": refused("deployments")})
    sweep, store, telemetry = sweeping(lists, Watched(POD), Watched(DEPLOYMENT), namespaces=("a", "b"))
    lists.answers["b/Pod"] = Listing((pod("x", 5),), "9")
    await once(sweep)
    assert sweep.done_once.is_set()
    assert sweep.problem() is None
    assert len(store.list(POD)) == 1
    assert [sweep.access.holds(namespace) for namespace in "ab"] == [False, True]
    assert sweep.access.answering == ("b",)
    page = telemetry.registry.get_sample_value
    assert [page("modelward_namespace_refused", {"namespace": name}) for name in "ab"] == [1, 0]


@in_virtual_time
async def test_sweep_a_namespace_that_answers_again_is_taken_up_and_one_that_refuses_is_let_go() -> None:
    told: list[tuple[str, str]] = []
    lists, store, telemetry = Lists(**{"a/Pod": refused("pods")}), Store(), Telemetry()
    sweep = Resync(
        cast("Client", lists), store, [Watched(POD), Watched(DEPLOYMENT)], ("a", "b"), telemetry, 60.0,
        opened=lambda name: told.append(("opened", name)), refused=lambda name: told.append(("refused", name)),
    )  # fmt: skip
    await once(sweep)
    assert told == [("refused", "a"), ("opened", "b")]
    lists.answers = {"b/Deployment": refused("deployments")}
    await once(sweep)
    assert told[2:] == [("refused", "b"), ("opened", "a")]
    assert [sweep.access.holds(namespace) for namespace in "ab"] == [True, False]
    lists.answers = {"b/Deployment": Unavailable(503, "ServiceUnavailable", "later")}
    await once(sweep)
    assert told[4:] == [], "b is not whole yet, and trouble of the API server closes no namespace"
    lists.answers = {"a/Pod": Unavailable(503, "ServiceUnavailable", "later")}
    await once(sweep)
    assert told[4:] == [("opened", "b")]
    assert sweep.access.holds("a")


@in_virtual_time
async def test_sweep_without_any_namespace_that_answers_leads_nothing() -> None:
    sweep, _, _ = sweeping(Lists(Pod=refused("pods")), Watched(POD), namespaces=("a", "b"))
    await once(sweep)
    assert not sweep.done_once.is_set()
    assert "may not list pods" in (sweep.problem() or "")
    assert sweep.access.answering == ()


@in_virtual_time
async def test_nothing_is_reconciled_in_a_namespace_of_which_not_all_is_known() -> None:
    lists, worked = Lists(**{"a/ConfigMap": refused("configmaps")}), Worked()
    watching = replace(SETTINGS, watch_namespaces=("a", "b"))
    operator = Operator(watching, cast("Client", lists), Telemetry(), lambda _: worked)
    await once(operator.sweep)
    for namespace in "ab":
        await operator._reconcile(WorkKey("endpoint", namespace, "chat"))
    assert worked.keys == [WorkKey("endpoint", "b", "chat")], "half of what there is looks like something deleted"
    assert worked.silent == ["a"]


@in_virtual_time
async def test_sweep_hurries_when_the_watch_was_refused() -> None:
    lists = Lists()
    store, telemetry = Store(), Telemetry()
    sweep = Resync(cast("Client", lists), store, [Watched(POD)], ("a",), telemetry, 3_600.0)
    task = asyncio.create_task(sweep.run())
    await sweep.done_once.wait()
    before = len(lists.asked)
    sweep.hurry()
    await asyncio.sleep(1)
    assert len(lists.asked) == before + 1, "an hour before its time"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@in_virtual_time
async def test_sweep_a_kind_that_is_not_served_is_no_problem() -> None:
    sweep, _, _ = sweeping(Lists(LLMEndpoint=NotFound(404, "NotFound", "no such kind")), Watched(LLM_ENDPOINT))
    await once(sweep)
    assert sweep.problem() is None


@in_virtual_time
async def test_sweep_a_kind_whose_definition_went_leaves_no_ghosts_after_two_looks() -> None:
    lists = Lists(LLMEndpoint=Listing((pod("x", 5),), "9"))
    sweep, store, _ = sweeping(lists, Watched(LLM_ENDPOINT))
    await once(sweep)
    lists.answers["LLMEndpoint"] = NotFound(404, "NotFound", "no such kind")
    await once(sweep)
    assert len(store.list(LLM_ENDPOINT)) == 1, "an API server that starts says so too"
    await once(sweep)
    assert store.list(LLM_ENDPOINT) == ()
    assert not store.put(LLM_ENDPOINT, pod("x", 5))
    lists.answers["LLMEndpoint"] = Listing((pod("x", 11),), "12")
    await once(sweep)
    assert len(store.list(LLM_ENDPOINT)) == 1


@in_virtual_time
async def test_sweep_counts_what_the_watch_had_missed() -> None:
    lists = Lists(Pod=Listing((pod("x", 5),), "9"))
    sweep, store, telemetry = sweeping(lists, Watched(POD))
    await once(sweep)
    counted: Any = telemetry.registry.get_sample_value("modelward_store_drift_total", {"kind": "Pod"})
    assert counted is None, "the first fill is no drift"
    lists.answers["Pod"] = Listing((pod("y", 11),), "12")
    await once(sweep)
    assert [obj["metadata"]["name"] for obj in store.list(POD)] == ["y"]
    assert telemetry.registry.get_sample_value("modelward_store_drift_total", {"kind": "Pod"}) == 2


async def test_inbox_brings_all_events_in_order_and_survives_one_that_breaks() -> None:
    number, got = 3 * BATCH + 7, []

    def deliver(_kind: Kind, _event: str | None, obj: Object) -> None:
        if obj["metadata"]["name"] == "5":
            raise ValueError("odd")
        got.append(obj["metadata"]["name"])

    inbox = Inbox(deliver)

    def fill() -> None:
        for n in range(number):
            inbox.put(POD, "ADDED", pod(str(n), n))

    thread = threading.Thread(target=fill)
    thread.start()
    await until(lambda: len(got) == number - 1)
    thread.join()
    assert got == [str(n) for n in range(number) if n != 5]
