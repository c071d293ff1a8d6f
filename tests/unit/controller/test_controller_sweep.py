"""Sweeps mend the store whatever the API server does, and hints arrive in order from another thread."""

import asyncio
import threading
from typing import Any, cast

from modelward.controller.hints import BATCH, Inbox
from modelward.controller.kopf_thread import Watched
from modelward.controller.sweep import Sweep
from modelward.controller.telemetry import Telemetry
from modelward.kube.client import Client, Listing
from modelward.kube.errors import ApiError, Forbidden, NotFound
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, POD, Kind, Object
from modelward.kube.store import Store


def pod(name: str, version: int) -> Object:
    return {"metadata": {"name": name, "namespace": "a", "resourceVersion": str(version)}}


class Lists:
    """A client that lists what it is told to, or raises it."""

    def __init__(self, **answers: Listing | ApiError) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str | None, str | None]] = []

    async def list(self, kind: Kind, namespace: str | None = None, *, label_selector: str | None = None) -> Listing:
        self.asked.append((kind.kind, namespace, label_selector))
        answer = self.answers.get(kind.kind, Listing((), "1"))
        if isinstance(answer, ApiError):
            raise answer
        return answer


def sweeping(lists: Lists, *watched: Watched, namespaces: tuple[str, ...] = ()) -> tuple[Sweep, Store, Telemetry]:
    store, telemetry = Store(), Telemetry()
    return Sweep(cast("Client", lists), store, watched, namespaces, telemetry, 0.01), store, telemetry


async def once(sweep: Sweep, rounds: float = 0.0) -> None:
    task = asyncio.create_task(sweep.run())
    await asyncio.sleep(0.005 + rounds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_sweep_lists_each_kind_by_its_selector_in_each_namespace() -> None:
    lists = Lists()
    sweep, _, _ = sweeping(lists, Watched(POD, "app=web"), Watched(DEPLOYMENT), namespaces=("a", "b"))
    await once(sweep)
    assert lists.asked[:3] == [("Pod", "a", "app=web"), ("Pod", "b", "app=web"), ("Deployment", "a", None)]
    assert sweep.problem() is None


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


async def test_sweep_a_kind_that_is_not_served_is_no_problem() -> None:
    sweep, _, _ = sweeping(Lists(LLMEndpoint=NotFound(404, "NotFound", "no such kind")), Watched(LLM_ENDPOINT))
    await once(sweep)
    assert sweep.problem() is None


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
    async with asyncio.timeout(5):
        while len(got) < number - 1:  # noqa: ASYNC110 - another thread fills it
            await asyncio.sleep(0.001)
    thread.join()
    assert got == [str(n) for n in range(number) if n != 5]
