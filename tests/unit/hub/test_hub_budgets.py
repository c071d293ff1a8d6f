"""Budgets over the hub's API: what is granted outlives the hub, and no namespace touches another's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from hub_fixtures import NOW_MS, running_hub

from modelward.api.budget import BudgetLimits, BudgetTerms, Spend, SpendRequest, SpentSoFar, day_of
from modelward.hub_client.client import HubClient, HubUnavailableError

TODAY = day_of(NOW_MS)
TERMS = BudgetTerms("retail", "brand", BudgetLimits(tokens=1_000), SpentSoFar(TODAY, Spend()))


def asked(number: int, tokens: int = 100) -> SpendRequest:
    return SpendRequest(f"key-{number:06}", "run-1", "judge", tokens)


async def spent(client: HubClient) -> dict[str, int]:
    return {f"{one.namespace}/{one.policy}": one.spend.tokens for one in await client.budgets()}


async def test_what_was_granted_is_spent_after_a_restart_too_until_it_is_settled(file_url: str) -> None:
    async with running_hub(file_url) as r:
        await r.client.put_budgets([TERMS])
        for number in range(3):
            assert (await r.client.reserve("retail", "brand", asked(number))).refusal is None
        await r.client.settle("retail", "brand", "key-000000", Spend(7))
    async with running_hub(file_url) as r:
        with pytest.raises(HubUnavailableError):  # the operator has named no limits yet
            await r.client.reserve("retail", "brand", asked(3))
        await r.client.put_budgets([replace(TERMS, seen=None)])
        assert await spent(r.client) == {"retail/brand": 207}
        assert (await r.client.reserve("retail", "brand", asked(0))).refusal is None
        await r.client.settle("retail", "brand", "key-000001", None)
        assert await spent(r.client) == {"retail/brand": 207}
        assert [one.unreported for one in await r.client.budgets()] == [1]
        assert (await r.client.reserve("retail", "brand", asked(9, 800))).refusal == "BudgetExhausted"


async def test_a_policy_that_is_new_waits_until_its_status_has_a_budget() -> None:
    async with running_hub("memory://") as r:
        await r.client.put_budgets([replace(TERMS, seen=None)])
        with pytest.raises(HubUnavailableError) as refused:
            await r.client.reserve("retail", "brand", asked(1))
        assert refused.value.status == 503
        await r.client.put_budgets([TERMS])
        assert (await r.client.reserve("retail", "brand", asked(1))).refusal is None


async def test_a_ledger_that_is_damaged_goes_on_from_the_status_and_else_the_day_is_spent(tmp_path: Path) -> None:
    url, ledger = f"file://{tmp_path}", tmp_path / "budgets" / "retail" / "brand.json"
    for seen, left in ((SpentSoFar(TODAY, Spend(950)), 50), (SpentSoFar(TODAY - 1, Spend(1)), 0), (None, 0)):
        async with running_hub(url) as r:
            await r.client.put_budgets([TERMS])
            await r.client.reserve("retail", "brand", asked(1))
        ledger.write_bytes(b'{"day": 20')
        async with running_hub(url) as r:
            await r.client.put_budgets([replace(TERMS, seen=seen)])
            assert (await r.client.reserve("retail", "brand", asked(2, left + 1))).refusal == "BudgetExhausted"
            if left:
                assert (await r.client.reserve("retail", "brand", asked(3, left))).refusal is None
        ledger.unlink(missing_ok=True)


async def test_a_new_day_has_a_new_budget(file_url: str) -> None:
    clock = [NOW_MS]
    async with running_hub(file_url, now=lambda: clock[0]) as r:
        await r.client.put_budgets([TERMS])
        assert (await r.client.reserve("retail", "brand", asked(1, 1_000))).refusal is None
        assert (await r.client.reserve("retail", "brand", asked(2, 1))).refusal == "BudgetExhausted"
        clock[0] += 86_400_000
        assert await spent(r.client) == {"retail/brand": 0}
        assert (await r.client.reserve("retail", "brand", asked(3, 1_000))).refusal is None


async def test_requests_at_once_share_a_budget_exactly() -> None:
    async with running_hub("memory://") as r:
        await r.client.put_budgets([TERMS])
        found = await asyncio.gather(*(r.client.reserve("retail", "brand", asked(n)) for n in range(40)))
        assert sum(one.refusal is None for one in found) == 10


async def test_a_reservation_for_several_requests_is_granted_for_as_many_as_fit() -> None:
    async with running_hub("memory://") as r:
        await r.client.put_budgets([TERMS])
        for _ in range(2):  # the same again grants the same, and nothing more
            found = await r.client.reserve("retail", "brand", replace(asked(1, 300), count=20))
            assert (found.refusal, found.count) == (None, 3)
            assert await spent(r.client) == {"retail/brand": 900}
        refused = await r.client.reserve("retail", "brand", replace(asked(2, 300), count=20, final=False))
        assert refused.refusal == "BudgetExhausted"
        assert [one.refused for one in await r.client.budgets()] == [0]
        await r.client.settle("retail", "brand", "key-000001", Spend(30), unreported=2)
        assert [(one.spend.tokens, one.unreported) for one in await r.client.budgets()] == [(30, 2)]
        assert (await r.client.reserve("retail", "brand", replace(asked(3, 970), count=9))).count == 1


async def test_one_namespace_has_so_many_budgets_and_none_of_them_is_another_ones() -> None:
    async with running_hub("memory://") as r:
        loud = [replace(TERMS, namespace="loud", policy=f"p{n}") for n in range(250)]
        refused = await r.client.put_budgets([*loud, TERMS])
        assert len(refused) == 50
        assert all(name.startswith("loud/") for name in refused)
        assert (await r.client.reserve("loud", "p1", asked(1, 1_000))).refusal is None
        assert (await r.client.reserve("retail", "brand", asked(1, 1_000))).refusal is None


async def test_what_is_no_reservation_is_refused_and_changes_nothing() -> None:
    async with running_hub("memory://") as r:
        await r.client.put_budgets([TERMS])
        base = f"http://127.0.0.1:{r.hub.ports[0]}/v1/budgets"
        good = {"key": "key-000001", "run": "r", "evaluator": "e", "tokens": 1}
        bad: list[dict[str, object]] = [
            {"tokens": -1}, {"tokens": 1.5}, {"tokens": True}, {"tokens": 1 << 63}, {"key": "x\n"}, {"cost": "free"},
               {"evaluator": "a b"}, {"count": -1}, {"count": 1.5}, {"tokens": 1 << 60, "count": 9},
             {"currency": "usd"}, {"run": None}]  # fmt: skip
        async with aiohttp.ClientSession() as session:
            for change in bad:
                async with session.post(f"{base}/retail/brand/reservations", json={**good, **change}) as answer:
                    assert answer.status == 400, change
            for body in (b"", b"[]", b"{" * 5_000):
                async with session.put(base, data=body) as answer:
                    assert answer.status in (400, 413)
            async with session.put(base, json={"budgets": [None, {"namespace": "../x", "policy": "p"}]}) as answer:
                assert len((await answer.json())["refused"]) == 2
        assert await r.client.budgets() == []
