"""Whatever crashes and whoever runs at once: no schedule spends more than the budget."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import obstore
import orjson
import pytest
from long_form import FULL
from plain_port import PlainPort

from modelward.api.budget import (
    DAY_MS,
    BudgetLimits,
    BudgetTerms,
    Spend,
    SpendDecision,
    SpendRequest,
    SpentSoFar,
    TokenPrices,
)
from modelward.api.run_plan import Plan
from modelward.evaluate.port import PortError, ScoringReply, ScoringRequest
from modelward.evaluate.spending import worst_case
from modelward.hub.budgets import Budgets
from modelward.hub.damage import Damage
from modelward.hub.errors import HubError, store_unavailable
from modelward.hub.objects import ObjectStore
from modelward.hub_client.client import HubUnavailableError
from modelward.job.budgeted import Budgeted
from modelward.job.purse import Purse

T = TypeVar("T")
SCHEDULES = 1_000 if FULL else 250
DAY = 20_000
PRICES = TokenPrices("USD", 150_000, 600_000)
LIMITS = BudgetLimits(tokens=4_000, cost=1_000_000_000, currency="USD", per_run_ppm=600_000)


class UnsureStore(ObjectStore):
    """A store in memory that refuses now and then, before or after it has written, and takes nothing of the dead."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__("memory://")
        self.chance, self.calm, self.dead = chance, False, False

    def outlived(self) -> UnsureStore:
        """Return the same objects for the next process; the one before writes no more."""
        following = copy.copy(self)
        self.dead = True
        return following

    async def put(self, path: str, data: bytes) -> None:
        """Write, or not."""
        trouble = 1.0 if self.calm else self.chance.random()
        await asyncio.sleep(0)
        if trouble < 0.05 or self.dead:
            raise store_unavailable("before")
        obstore.put(self._store, path, data)  # at once: no write of a process goes on after its death
        if trouble < 0.1:
            raise store_unavailable("after")


@dataclass(slots=True)
class FlakyHub:
    """The hub as a Job sees it: it crashes and comes back with what its store has, and answers get lost."""

    chance: random.Random
    store: UnsureStore
    now_ms: int = DAY * DAY_MS
    lost: float = 0.1
    budgets: Budgets = field(init=False)

    async def crash(self) -> None:
        """Begin again from the store."""
        self.store = self.store.outlived()
        self.budgets = Budgets(self.store, Damage(self.store, lambda *_: None, self.clock), self.clock)
        await self.budgets.load()
        self.budgets.set_terms([BudgetTerms("retail", "p", LIMITS, SpentSoFar(DAY, Spend()))])

    def clock(self) -> int:
        """Return Unix milliseconds."""
        return self.now_ms

    async def reserve(self, namespace: str, policy: str, asked: SpendRequest) -> SpendDecision:
        """Ask the hub of this moment."""
        return await self._answered(lambda: self.budgets.reserve(namespace, policy, asked))

    async def settle(self, namespace: str, policy: str, key: str, used: Spend | None, unreported: int = 0) -> None:
        """Ask the hub of this moment."""
        await self._answered(lambda: self.budgets.settle(namespace, policy, key, used, unreported))

    async def _answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        await asyncio.sleep(0)
        asked = self.budgets
        try:
            answer = await ask()
        except HubError as error:
            raise HubUnavailableError(str(error), error.status) from error
        if asked is not self.budgets or self.chance.random() < self.lost:
            raise HubUnavailableError("the answer got lost")
        return answer


@dataclass
class Judge(PlainPort):
    """A model that spends up to the worst case, and does not always say so."""

    chance: random.Random
    spent: Spend = field(default_factory=Spend)

    async def embed(self, texts: Sequence[str]) -> Any:
        """Judges embed nothing."""
        raise NotImplementedError

    async def post(self, request: ScoringRequest) -> ScoringReply:
        """Spend and answer, or fail in one of the usual ways."""
        worst = worst_case(request.body)
        assert worst is not None
        await asyncio.sleep(0)
        fate = self.chance.random()
        if fate < 0.05:
            raise PortError("no connection", unsent=True)
        if fate < 0.1:
            return ScoringReply(429, b"")
        asked, answered = self.chance.randint(1, worst.input), self.chance.randint(0, worst.output)
        self.spent += Spend(asked + answered, asked * PRICES.input + answered * PRICES.output)
        await asyncio.sleep(0)
        if fate < 0.2:
            raise PortError("timed out")
        if fate < 0.3:
            return ScoringReply(500, b"<html>")
        usage = {"prompt_tokens": asked, "completion_tokens": answered}
        return ScoringReply(200, orjson.dumps({} if fate < 0.4 else {"usage": usage}))


async def insistent(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again as a Job does."""
    for _ in range(3):
        with contextlib.suppress(HubUnavailableError):
            return await ask()
    return await ask()


async def run_job(run: str, hub: FlakyHub, judge: Judge, sizes: Sequence[int]) -> None:
    purse = Purse(hub, Plan(run, "retail", "", ()), "p", insistent, hub.clock)  # type: ignore[arg-type]
    port = Budgeted(judge, purse, "brand", PRICES)

    async def ask(size: int) -> None:
        body = orjson.dumps({"messages": [{"role": "user", "content": "x" * size}], "max_tokens": 40})
        with contextlib.suppress(PortError):
            await port.post(ScoringRequest("http://judge", body))

    for start in range(0, len(sizes), 4):
        await asyncio.gather(*map(ask, sizes[start : start + 4]))
    await purse.close()


async def schedule(seed: int) -> tuple[Spend, Spend]:
    """Return what was spent, and what counts as spent, after one random schedule of a day."""
    chance = random.Random(seed)  # a schedule, no secret
    store = UnsureStore(chance)
    hub, judge = FlakyHub(chance, store), Judge(chance)
    await hub.crash()
    sizes = [chance.randint(1, 400) for _ in range(8)]
    jobs = [asyncio.create_task(run_job(f"run-{n // 2}", hub, judge, sizes)) for n in range(chance.randint(2, 4))]
    while not all(job.done() for job in jobs):
        await asyncio.sleep(0)
        if chance.random() < 0.01:
            await hub.crash()
        if chance.random() < 0.005:
            chance.choice(jobs).cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    hub.store.calm = True
    await hub.crash()
    [state] = hub.budgets.states()
    return judge.spent, state.spend


async def test_schedules_with_crashes_and_twin_jobs_overspend_nothing() -> None:
    spent_something = 0
    for seed in range(SCHEDULES):
        spent, counted = await schedule(seed)
        assert LIMITS.admits(spent), seed
        assert LIMITS.admits(counted), seed
        assert spent.tokens <= counted.tokens, seed
        assert spent.cost <= counted.cost, seed
        spent_something += spent.tokens > 0.3 * LIMITS.tokens  # type: ignore[operator]
    assert spent_something > 0.7 * SCHEDULES


async def test_a_day_that_begins_gives_each_day_its_own_budget_and_no_more() -> None:
    chance = random.Random(1)
    hub, judge = FlakyHub(chance, UnsureStore(chance)), Judge(chance)
    hub.store.calm = True
    await hub.crash()
    for day in range(3):
        hub.now_ms = (DAY + day) * DAY_MS
        for run in range(3):
            await run_job(f"run-{day}-{run}", hub, judge, [300] * 60)
        assert judge.spent.tokens <= (day + 1) * 4_000
    assert judge.spent.tokens > 4_000


async def test_a_judge_that_reports_less_than_its_worst_case_leaves_the_rest_to_others() -> None:
    class Modest(Judge):
        async def post(self, _: ScoringRequest) -> ScoringReply:
            """Spend ten tokens."""
            self.spent += Spend(10, 0)
            return ScoringReply(200, b'{"usage": {"prompt_tokens": 9, "completion_tokens": 1}}')

    chance = random.Random(1)
    hub, judge = FlakyHub(chance, UnsureStore(chance), lost=0.0), Modest(chance)
    hub.store.calm = True
    await hub.crash()
    await run_job("run-1", hub, judge, [300] * 100)
    assert judge.spent.tokens > 500


class CountingHub(FlakyHub):
    """A hub without trouble that counts what it is asked."""

    asked: int = 0
    settled: int = 0

    async def reserve(self, namespace: str, policy: str, asked: SpendRequest) -> SpendDecision:
        """Count and ask."""
        self.asked += 1
        return await super().reserve(namespace, policy, asked)

    async def settle(self, namespace: str, policy: str, key: str, used: Spend | None, unreported: int = 0) -> None:
        """Count and settle."""
        self.settled += 1
        await super().settle(namespace, policy, key, used, unreported)


class ExactJudge(Judge):
    """A model that spends ten tokens and says so."""

    async def post(self, _: ScoringRequest) -> ScoringReply:
        """Spend, after others had their turn."""
        await asyncio.sleep(0)
        self.spent += Spend(10, 0)
        return ScoringReply(200, b'{"usage": {"prompt_tokens": 9, "completion_tokens": 1}}')


async def calm(limits: BudgetLimits = LIMITS) -> tuple[CountingHub, ExactJudge]:
    chance = random.Random(1)
    hub = CountingHub(chance, UnsureStore(chance), lost=0.0)
    hub.store.calm = True
    await hub.crash()
    hub.budgets.set_terms([BudgetTerms("retail", "p", limits, SpentSoFar(DAY, Spend()))])
    return hub, ExactJudge(chance)


async def test_many_requests_share_a_reservation_and_what_is_left_of_it_goes_back() -> None:
    hub, judge = await calm(BudgetLimits(tokens=1_000_000))
    await run_job("run-1", hub, judge, [2_000] * 200)
    assert judge.spent.tokens == 2_000
    assert hub.asked == hub.settled <= 200 / 8
    [state] = hub.budgets.states()
    assert (state.spend.tokens, state.refused) == (2_000, 0)


@pytest.mark.parametrize("size", [1, 100, 400, 900])
async def test_a_budget_is_used_up_to_less_than_what_four_requests_may_take(size: int) -> None:
    hub, judge = await calm(BudgetLimits(tokens=8_000))
    await run_job("run-1", hub, judge, [size] * 1_000)
    [state] = hub.budgets.states()
    assert state.spend.tokens == judge.spent.tokens > 8_000 - 4 * (size + 200)
    assert state.refused == 1


async def test_answers_that_do_not_say_what_they_used_are_counted_one_by_one() -> None:
    class Silent(ExactJudge):
        async def post(self, _: ScoringRequest) -> ScoringReply:
            """Say nothing of tokens."""
            return ScoringReply(200, b"{}")

    hub, judge = await calm(BudgetLimits(tokens=1_000_000))
    await run_job("run-1", hub, Silent(judge.chance), [300] * 7)
    [state] = hub.budgets.states()
    assert state.unreported == 7
    assert state.spend.tokens > 7 * 300


async def test_a_request_that_is_cut_short_counts_as_spent_and_holds_up_no_other() -> None:
    hub, judge = await calm(BudgetLimits(tokens=1_000_000))
    purse = Purse(hub, Plan("run-1", "retail", "", ()), "p", insistent, hub.clock)  # type: ignore[arg-type]

    class Hanging(ExactJudge):
        async def post(self, _: ScoringRequest) -> ScoringReply:
            """Never answer."""
            await asyncio.Event().wait()
            raise AssertionError

    body = orjson.dumps({"messages": [{"role": "user", "content": "x"}], "max_tokens": 40})
    hung = asyncio.create_task(
        Budgeted(Hanging(judge.chance), purse, "brand").post(ScoringRequest("http://judge", body))
    )
    for _ in range(20):
        await asyncio.sleep(0)
    hung.cancel()
    await asyncio.gather(hung, return_exceptions=True)
    await Budgeted(judge, purse, "brand").post(ScoringRequest("http://judge", body))
    await purse.close()
    worst = worst_case(body)
    assert worst is not None
    [state] = hub.budgets.states()
    assert state.spend.tokens == worst.input + worst.output + 10


async def test_what_was_reserved_yesterday_is_not_spent_today() -> None:
    hub, judge = await calm(BudgetLimits(tokens=1_000_000))
    purse = Purse(hub, Plan("run-1", "retail", "", ()), "p", insistent, hub.clock)  # type: ignore[arg-type]
    port, body = Budgeted(judge, purse, "brand"), orjson.dumps({"prompt": "x", "max_tokens": 40})
    for _ in range(2):
        await port.post(ScoringRequest("http://judge", body))
        hub.now_ms += DAY_MS
    await purse.close()
    assert hub.asked == 2


@pytest.mark.parametrize(
    ("body", "worst"),
    [
        ({"messages": [], "max_tokens": 5}, 5),
        ({"prompt": "x", "max_completion_tokens": 5, "n": 3}, 15),
        ({"contract": "score/v1", "records": []}, None),
    ],
)
def test_only_requests_to_models_are_metered_by_the_most_that_they_allow(body: Any, worst: int | None) -> None:
    found = worst_case(orjson.dumps(body))
    assert (found.output if found else None) == worst


def test_a_request_without_a_bound_is_not_sent() -> None:
    with pytest.raises(PortError, match="max_tokens"):
        worst_case(b'{"messages": [], "max_tokens": true}')
