"""What a budget and the memory of scores cost for each record beside the judge's own time, as JSON.

    python bench/budget/measure.py > budget.json

One hub with a store on disk, in this process, over loopback without TLS; a judge that answers at once, four at a time.
Times are milliseconds for one record, of a window that is new, and of the same window again; about 20 seconds. What is
beyond the CPU is the disk, on which each reservation, for several requests, is safe before it is granted.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any, cast

import orjson

from modelward.api.budget import BudgetLimits, BudgetTerms, Spend, SpentSoFar, day_of
from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange, Message, exchange_to_json
from modelward.api.run_plan import Plan, PlanItem
from modelward.clock import now_ms
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.desired.pod_additions import NOTHING, PodAdditions
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.port import ScoringPort, ScoringReply, ScoringRequest
from modelward.evaluate.score import Score
from modelward.hub.server import Hub
from modelward.hub.settings import HubSettings
from modelward.hub_client.client import HubClient
from modelward.job import evaluation

RECORDS, AT_ONCE = 1_000, 4
NAMES = ("retail", "brand")


class InstantJudge:
    """A port whose judge takes no time."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take what a Job's port takes."""

    async def post(self, _: ScoringRequest) -> ScoringReply:
        """Answer at once, with what it used."""
        return ScoringReply(200, b'{"usage": {"prompt_tokens": 300, "completion_tokens": 8}}')


@dataclass
class AskingKind:
    """A kind that asks once for each record."""

    name: str = "asking"
    names: tuple[str, ...] = ()
    asked: int = 0

    def resolve(self, block: EvaluatorBlock) -> ResolvedEvaluator:
        """Return an evaluator whose scores cost something."""
        return ResolvedEvaluator("asking", block.name, block.config, EvaluatorFacts(block.name, "1"), costly=True)

    def pod(self, _: ResolvedEvaluator) -> PodAdditions:
        """Return nothing."""
        return NOTHING

    async def facts(self, evaluator: ResolvedEvaluator, _port: ScoringPort) -> EvaluatorFacts:
        """Return those of `resolve`."""
        return evaluator.facts

    async def score(self, _: ResolvedEvaluator, exchanges: Sequence[Exchange], port: ScoringPort) -> list[Score]:
        """Ask for each, some at once."""
        body = orjson.dumps({"messages": [{"role": "user", "content": "x" * 1_000}], "max_tokens": 8})
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(exchange: Exchange) -> Score:
            async with gate:
                await port.post(ScoringRequest("http://judge", body))
                self.asked += 1
            return Score(exchange.id, "Scored")

        return list(await asyncio.gather(*map(one, exchanges)))


def traffic(until_ms: int) -> bytes:
    """Return a window of exchanges as a collector writes them."""
    rows = (
        Exchange(f"e{i}", until_ms - 1_000 - i, "retail/chat", "m", "r1", "chat", 200, "ok", "Redacted",
                 (Message("user", "where is my card?"),), "on its way")
        for i in range(RECORDS)
    )  # fmt: skip
    return b"".join(orjson.dumps(exchange_to_json(one)) + b"\n" for one in rows)


async def timed(client: HubClient, kind: AskingKind, to_ms: int) -> tuple[float, float]:
    """Return milliseconds of time and of CPU, the hub's and the Job's, for one record of a run over the window."""
    item = PlanItem("chat", "brand", "tone", "tone", {}, to_ms - 60_000, to_ms, kind="asking", budgeted=True)
    plan = Plan("run", "retail", "", (item,))
    began, cpu = time.perf_counter(), time.process_time()
    await evaluation.run_plan(plan, client, known=EvaluatorCatalogue({"asking": cast("Any", kind)}))
    spent = time.perf_counter() - began, time.process_time() - cpu
    return round(spent[0] * 1_000 / RECORDS, 2), round(spent[1] * 1_000 / RECORDS, 2)


async def measured() -> dict[str, float]:
    """Return all times."""
    with TemporaryDirectory() as store:
        settings = HubSettings(f"file://{store}", "127.0.0.1:0", "127.0.0.1:0", auth=False)
        async with Hub(settings).running() as hub, HubClient(f"http://127.0.0.1:{hub.ports[0]}") as client:
            to_ms = now_ms()
            await client.post_exchanges(traffic(to_ms))
            seen = SpentSoFar(day_of(to_ms), Spend())
            await client.put_budgets([BudgetTerms(*NAMES, BudgetLimits(tokens=10**9), seen)])
            kind = AskingKind()
            new_ms, new_cpu_ms = await timed(client, kind, to_ms)
            again_ms, again_cpu_ms = await timed(client, kind, to_ms)
            [state] = await client.budgets()
            return {
                "new_ms": new_ms, "new_cpu_ms": new_cpu_ms, "again_ms": again_ms, "again_cpu_ms": again_cpu_ms,
                "asked": kind.asked, "tokens": state.spend.tokens,
                "from_cache_again": 1 - (kind.asked - RECORDS) / RECORDS,
            }  # fmt: skip


if __name__ == "__main__":
    evaluation.JobPort = InstantJudge  # type: ignore[assignment,misc]
    print(json.dumps(asyncio.run(measured()), indent=2))
