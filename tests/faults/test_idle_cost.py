"""What a quiet cluster pays: writes to the API, CPU, memory, and pods of evaluations."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import idle
import pytest
from calls import of
from control_plane import NoControlPlaneError
from driver import Clock, Driver, driving
from fleet import policy
from proxy import Proxy
from user import User, template

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult
from modelward.api.evaluationrun import EvaluationRun, RunItem
from modelward.api.quantity import timestamp_ms
from modelward.kube.kinds import EVALUATION_RUN, JOB, Object
from modelward.operator.runtime.work_queue import WorkKey

FULL = os.environ.get("MODELWARD_FULL") == "1"
LOAD = idle.Load(300, 10, watched_s=330, start_s=310) if FULL else idle.Load(30, 2, 20, status_interval="1h")
ENDPOINTS, HOUR_MS, TICK_MS = 20, 3_600_000, 10_000 if FULL else 120_000


@pytest.fixture
def cost(tmp_path: Path) -> Iterator[idle.Cost]:
    try:
        yield idle.measured(LOAD, tmp_path)
    except NoControlPlaneError as error:
        if os.environ.get("CI"):
            pytest.fail(f"no control plane: {error}", pytrace=False)
        pytest.skip(f"no control plane: {error}")


def test_quiet_endpoints_write_nothing_and_cost_little(cost: idle.Cost) -> None:
    print(json.dumps(cost.numbers()))
    assert cost.writes_per_s <= 1.0
    assert cost.cpu_share < 0.10
    assert cost.rss_bytes < 250_000_000
    assert cost.runs_quiet == 0
    assert cost.runs_after_one_exchange_each == LOAD.namespaces
    assert cost.pods_after_one_exchange_each == LOAD.namespaces


@pytest.mark.parametrize(
    ("per_hour", "hours", "fewest", "most"),
    [(5, 24, 20, 24) if FULL else (5, 8, 6, 8), (400, 6, 23, 25)],
    ids=["too little for a verdict: one pod an hour", "enough for verdicts: every 15 minutes, whoever is how many"],
)
async def test_a_namespace_needs_one_pod_an_hour_while_no_verdict_could_rest_on_more(
    proxy: Proxy, user: User, per_hour: int, hours: int, fewest: int, most: int
) -> None:
    await user.policy(**policy(5))
    for number in range(ENDPOINTS):
        await user.endpoint(f"chat-{number}", template(replicas=1))
    clock = Clock()
    async with driving(proxy, [user.namespace], clock) as driver:
        await driver.converge()
        day = Day(driver, clock, user.namespace, random.Random(7), per_hour)
        for _ in range(hours * HOUR_MS // TICK_MS):
            await day.tick()
    pods = sum(of("jobs", verb="apply")(one.call) for one in proxy.recorded)
    print(f"endpoints={ENDPOINTS} evaluations=5 per_hour={per_hour} hours={hours} evaluation_pods={pods}")
    assert pods == day.runs
    assert fewest <= pods <= most
    assert day.unjudged(HOUR_MS + 2 * TICK_MS) == []


class Day:
    """Time that passes in a namespace: exchanges come at random, runs are carried out at once."""

    def __init__(self, driver: Driver, clock: Clock, namespace: str, chance: random.Random, per_hour: int) -> None:
        self.driver, self.clock, self.namespace, self.chance, self.per_hour = driver, clock, namespace, chance, per_hour
        self.hub = driver.reconciler.runs.hub
        self.hub.available = True
        self.held: dict[str, int] = {}
        self.came: list[tuple[str, int]] = []
        self.windows: list[tuple[str, int, int]] = []
        self.runs = 0

    async def tick(self) -> None:
        """Let some exchanges come, and the operator look at what is due."""
        self.clock.now_ms += TICK_MS
        newest = dict(self.hub.newest_ms)
        for number in range(ENDPOINTS):
            endpoint = f"{self.namespace}/chat-{number}"
            if self.chance.random() < self.per_hour * TICK_MS / HOUR_MS:
                self.held[endpoint] = self.held.get(endpoint, 0) + max(1, round(self.per_hour * TICK_MS / HOUR_MS))
                newest[endpoint] = self.clock.now_ms - 20_000
                self.came.append((endpoint, newest[endpoint]))
        self.hub.newest_ms = newest
        self.hub.arrivals.take(self.held, self.clock.now_ms)
        await self.driver.reconcile(WorkKey("schedule", self.namespace, ""))
        for run in self.driver.store.list(EVALUATION_RUN, self.namespace):
            if not run.get("status", {}).get("completionTime"):
                await self._carry_out(run)

    async def _carry_out(self, run: Object) -> None:
        """Give a run its Job, and the hub what the Job would have found."""
        self.runs += 1
        name = run["metadata"]["name"]
        key = WorkKey("run", self.namespace, name)
        await self.driver.reconcile(key)
        await self.driver.reconcile(key)  # which notes that there is a Job
        items = EvaluationRun.model_validate(run).spec.items or ()
        self.hub.keep([_result(run, item) for item in items])
        for item in items:
            ends = timestamp_ms(item.from_), timestamp_ms(item.to)
            self.windows.append((f"{self.namespace}/{item.endpoint}", *ends))
        (job,) = self.driver.store.list(JOB, self.namespace)
        self.driver.see(JOB, {**job, "metadata": {**job["metadata"], "resourceVersion": "99999999"}}, "DELETED")
        await self.driver.reconcile(key)

    def unjudged(self, younger_ms: int) -> list[tuple[str, int]]:
        """Return the exchanges older than so much that no window holds."""
        old = [one for one in self.came if one[1] < self.clock.now_ms - younger_ms]
        windows: dict[str, list[tuple[int, int]]] = {}
        for endpoint, start, end in self.windows:
            windows.setdefault(endpoint, []).append((start, end))
        return [(name, at) for name, at in old if not any(a <= at < b for a, b in windows.get(name, ()))]


def _result(run: Object, asked: RunItem) -> WindowResult:
    facts, counts = EvaluatorFacts("PII", "1"), Counts(1, 0, 0, 0, 1.0, 1.0, 0.0)
    metadata = run["metadata"]
    return WindowResult(
        metadata["namespace"], asked.endpoint, asked.policy, asked.evaluation, timestamp_ms(asked.from_),
        timestamp_ms(asked.to), metadata["name"], facts, {"r1": counts},
    )  # fmt: skip
