"""What is measured, phase by phase: start, idle, changes, and a kill."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import fleet as fleets
from fleet import Fleet
from pinned_operator import Page, PinnedOperator, quantile
from server_side import BENCH, ApiServer, Request

from modelward.kube.client import Client
from modelward.kube.kinds import LLM_ENDPOINT, POD, Object

_PROGRAMS = ("apiserver", "etcd")
_RECONCILE = "controller_runtime_reconcile_time_seconds"
Numbers = dict[str, Any]


@dataclass(slots=True)
class Bench:
    """One fleet, its control plane, and the operator that is measured."""

    client: Client
    fleet: Fleet
    operator: PinnedOperator
    server: ApiServer
    changed: int = 0
    """Changes so far; the next one goes on from there, because the same change again would be none."""
    first_turn: int = field(default_factory=lambda: int(time.time()))
    """Other values than those that an earlier run has left."""

    async def declare(self, within_s: float) -> Numbers:
        """Declare all of it, and wait until the pods of the users' own workloads run; no operator is there yet."""
        began = time.monotonic()
        await self.fleet.settle()
        wanted = sum(not name.startswith("sidecar") for _, name in self.fleet.names)
        async with asyncio.timeout(within_s):
            while (running := await self._running()) < wanted:
                print(f"  {running} of {wanted} pods run", file=sys.stderr, flush=True)
                await asyncio.sleep(5)
        return {"declared_s": time.monotonic() - began}

    async def start(self, within_s: float) -> Numbers:
        """Start the operator on all that is declared, and wait until each endpoint has a status, and fresh numbers."""
        self.server.requests()
        began, began_unix = time.monotonic(), time.time()
        self.operator.start()
        marks: Numbers = {}
        seen: set[str] = set()
        asked: list[Request] = []
        while len(seen) < self.fleet.size or "served" not in marks:
            if time.monotonic() - began > within_s:
                break
            await asyncio.sleep(1.0)
            self.operator.alive()
            new = self.server.requests()
            asked += new
            seen |= {one.place for one in _statuses(new)}
            if len(seen) >= self.fleet.size and "observed" not in marks:
                marks["observed"] = max(one.answered_s for one in _statuses(asked)) - began_unix
            if "observed" in marks and await self._served():
                marks["served"] = time.monotonic() - began
        leads = next((one.answered_s for one in asked if one.kind == "leases" and one.writes and one.code < 300), None)
        first = next((one.answered_s for one in _statuses(asked)), None)
        page, used = self.operator.page(), self.operator.used()
        return {
            "observed_of": [len(seen), self.fleet.size],
            "leads_s": None if leads is None else leads - began_unix,
            "first_status_after_leading_s": None if None in (leads, first) else (first or 0) - (leads or 0),
            "all_observed_s": marks.get("observed"),
            "all_served_s": marks.get("served"),
            "cpu_s": used.cpu_s,
            "cpu_ms_per_endpoint": used.cpu_s * 1000 / self.fleet.size,
            "peak_mb": used.peak_bytes / 1e6,
            "rss_mb": used.rss_bytes / 1e6,
            "reconciles": page.total("controller_runtime_reconcile_total", controller="endpoint"),
            **_latencies(Page({}), page),
            "reads": sum(one.reads for one in asked),
            "writes": sum(one.writes for one in asked),
        }

    async def restart(self, within_s: float) -> Numbers:
        """Start the operator on all that an earlier one has made, and wait until it has reconciled each endpoint."""
        self.server.requests()
        began, began_unix = time.monotonic(), time.time()
        self.operator.start()
        asked: list[Request] = []
        reconciled = 0.0
        while reconciled < self.fleet.size and time.monotonic() - began < within_s:
            await asyncio.sleep(1.0)
            self.operator.alive()
            asked += self.server.requests()
            page = self.operator.page() if self.operator.listens else Page({})
            reconciled = page.total("controller_runtime_reconcile_total", controller="endpoint")
        took_s, used, page = time.monotonic() - began, self.operator.used(), self.operator.page()
        leads = next((one.answered_s for one in asked if one.kind == "leases" and one.writes and one.code < 300), None)
        return {
            "reconciled_of": [reconciled, self.fleet.size],
            "leads_s": None if leads is None else leads - began_unix,
            "all_reconciled_s": took_s,
            "cpu_s": used.cpu_s,
            "cpu_ms_per_endpoint": used.cpu_s * 1000 / self.fleet.size,
            "peak_mb": used.peak_bytes / 1e6,
            **_latencies(Page({}), page),
            "reads": sum(one.reads for one in asked if not one.by_bench),
            "writes": sum(one.writes for one in asked if not one.by_bench),
        }

    async def idle(self, settle_s: float, seconds: float) -> Numbers:
        """Wait for the start's last numbers to be written, and watch for a while that nothing happens."""
        await asyncio.sleep(settle_s)
        return await self._watched(seconds, 0.0)

    async def busy(self, per_s: float, seconds: float) -> Numbers:
        """Change so many specs a second, of all endpoints in turn, and watch what becomes of it."""
        return await self._watched(seconds, per_s)

    async def killed(self, within_s: float) -> Numbers:
        """Kill the operator, change one spec, start another, and wait until it has carried the change out."""
        user, name = self.fleet.names[-1]
        self.server.requests()
        killed = time.time()
        self.operator.kill()
        await user.client.patch(LLM_ENDPOINT, user.namespace, name, {"spec": {"drainSeconds": 77}}, manager=BENCH)
        self.operator.start()
        asked: list[Request] = []
        leads = first = changed = None
        ends = time.monotonic() + within_s
        while changed is None and time.monotonic() < ends:
            await asyncio.sleep(0.5)
            self.operator.alive()
            asked += self.server.requests()
            taken = (one for one in asked if one.kind == "leases" and one.writes and one.code < 300)
            leads = next((one.answered_s for one in taken if one.received_s > killed), None)
            after = [one for one in _statuses(asked) if leads is not None and one.received_s > leads]
            first = min((one.answered_s for one in after), default=None)
            changed = next((one.answered_s for one in after if one.place == f"{user.namespace}/{name}"), None)
        return {
            "kill_to_leading_s": None if leads is None else leads - killed,
            "leading_to_first_status_s": None if None in (leads, first) else (first or 0) - (leads or 0),
            "leading_to_status_of_changed_spec_s": None if None in (leads, changed) else (changed or 0) - (leads or 0),
            "cpu_s_until_then": self.operator.used().cpu_s,
        }

    async def _watched(self, seconds: float, per_s: float) -> Numbers:
        if self.operator.ended:
            self.operator.start()
            await asyncio.sleep(60.0)
        self.server.requests()
        before, page, control = self.operator.used(), self.operator.page(), self.server.cpu_s()
        peak = await self._changing(seconds, per_s) if per_s else await self._resting(seconds)
        after, later, asked = self.operator.used(), self.operator.page(), self.server.requests()
        took_s, used = after.at_s - before.at_s, self.server.cpu_s()
        mine = [one for one in asked if not one.by_bench]
        writes = Counter(one.kind for one in mine if one.writes)
        found = {
            "seconds": took_s,
            "cpu_percent": 100 * (after.cpu_s - before.cpu_s) / took_s,
            "rss_mb": peak / 1e6,
            "reads_per_s": sum(one.reads for one in mine) / took_s,
            "read_kinds": dict(Counter(f"{one.verb} {one.kind}" for one in mine if one.reads).most_common(6)),
            "writes_per_s": sum(writes.values()) / took_s,
            "writes_without_lease_per_s": (sum(writes.values()) - writes["leases"]) / took_s,
            "written": dict(writes),
            **_latencies(page, later),
            **{f"{name}_cpu_percent": 100 * (used[name] - control[name]) / took_s for name in _PROGRAMS},
        }
        if per_s:
            found |= _answered(asked)
        return found

    async def _resting(self, seconds: float) -> int:
        peak, ends = 0, time.monotonic() + seconds
        while time.monotonic() < ends:
            await asyncio.sleep(2.0)
            peak = max(peak, self.operator.used().rss_bytes)
        return peak

    async def _changing(self, seconds: float, per_s: float) -> int:
        peak, began, number = 0, time.monotonic(), 0
        size = self.fleet.size
        async with asyncio.TaskGroup() as changes:
            while time.monotonic() - began < seconds:
                user, name = self.fleet.names[self.changed * 7 % size]
                change = _change(name, self.first_turn + self.changed // size)
                changes.create_task(user.client.patch(LLM_ENDPOINT, user.namespace, name, change, manager=BENCH))
                number += 1
                self.changed += 1
                peak = max(peak, self.operator.used().rss_bytes) if number % 10 == 0 else peak
                await asyncio.sleep(max(0.0, began + number / per_s - time.monotonic()))
        await asyncio.sleep(10.0)  # so that the last ones are answered as well
        return peak

    async def _running(self) -> int:
        listings = [await self.client.list(POD, user.namespace) for user in self.fleet.users]
        return sum(pod.get("status", {}).get("phase") == "Running" for each in listings for pod in each.items)

    async def _served(self) -> bool:
        listings = [await self.client.list(LLM_ENDPOINT, user.namespace) for user in self.fleet.users]
        return all(fleets.holds(obj, "MetricsAvailable") for each in listings for obj in each.items)


def _change(name: str, turn: int) -> Object:
    if name.startswith("scrapeonly"):
        return {"spec": {"drainSeconds": 30 + turn % 270}}
    return {"spec": {"service": {"port": 8_000 + turn % 1_000}}}


def _statuses(asked: Iterable[Request]) -> list[Request]:
    return [one for one in asked if one.kind == "llmendpoints/status" and one.writes and one.code < 300]


def _latencies(before: Page, after: Page) -> Numbers:
    first, then = (page.histogram(_RECONCILE, controller="endpoint") for page in (before, after))
    return {f"reconcile_p{round(100 * q)}_s": quantile(first, then, q) for q in (0.5, 0.99)}


def _answered(asked: Iterable[Request]) -> Numbers:
    """Return how long each change waited for the status that speaks of it, as the API server saw both."""
    waiting: dict[str, float] = {}
    took: list[float] = []
    for one in sorted(asked, key=lambda one: one.answered_s):
        if one.by_bench:
            waiting.setdefault(one.place, one.answered_s)
        elif one.kind == "llmendpoints/status" and one.received_s > waiting.get(one.place, float("inf")):
            took.append(one.answered_s - waiting.pop(one.place))
    took.sort()
    changes = sum(one.by_bench for one in asked)
    at = {f"change_to_status_p{q}_s": took[min(len(took) - 1, len(took) * q // 100)] for q in (50, 99) if took}
    return {"changes": changes, "answered": len(took), **at}
