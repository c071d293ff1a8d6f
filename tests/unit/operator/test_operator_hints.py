"""A watch over several namespaces goes on without those that refuse us, and with them once they answer again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
from waiting import PATIENCE_S

from modelward.kube.client import Client
from modelward.kube.kinds import POD, Kind
from modelward.operator.cache import watcher as hints_module
from modelward.operator.cache.kopf_watch import Watched
from modelward.operator.cache.watcher import Pauses, Watcher
from modelward.operator.runtime.telemetry import Telemetry

PAUSES = Pauses(first=0.0, longest=0.0, absent_kinds=60.0, namespaces=0.0)


class Cluster:
    """Namespaces that may refuse to be watched, and the watches that were begun."""

    access = None

    def __init__(self, *refusing: str) -> None:
        self.refusing = set(refusing)
        self.watched: list[tuple[str, ...]] = []

    async def served(self, kind: Kind) -> bool:
        return bool(kind)

    def thread(self, _access: Any, _watched: Any, namespaces: Sequence[str], *_: Any) -> Thread:
        self.watched.append(tuple(namespaces))
        return Thread(bool(self.refusing & set(namespaces)))


class Thread:
    """Ends at once where a namespace refuses, as kopf does; else when it is stopped."""

    def __init__(self, refused: bool) -> None:
        self.ended = asyncio.get_running_loop().create_future()
        if refused:
            self.ended.set_result("APIForbiddenError")

    def start(self) -> asyncio.Future[str]:
        return self.ended

    async def stop(self) -> None:
        self.ended.cancel()


async def test_a_namespace_that_refuses_is_left_out_until_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster("a")
    answering = ["a", "b"]
    monkeypatch.setattr(hints_module, "KopfThread", cluster.thread)

    def found_out() -> None:
        answering[:] = ["b"]

    hints = Watcher(
        cast("Client", cluster), [Watched(POD)], ["a", "b"], lambda *_: None, Telemetry(), PAUSES,
        answering=lambda: answering, refused=found_out,
    )  # fmt: skip
    task = asyncio.create_task(hints.run())
    await _until(lambda: cluster.watched == [("a", "b"), ("b",)])
    cluster.refusing.clear()
    answering[:] = ["a", "b"]
    await _until(lambda: cluster.watched[2:] == [("a", "b")])
    answering.clear()
    cluster.refusing.update("ab")
    await asyncio.sleep(0)
    await _until(lambda: hints.problem() is None)
    assert () not in cluster.watched, "no namespace is not all namespaces"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _until(holds: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what is waited for is in another task
            await asyncio.sleep(0)
