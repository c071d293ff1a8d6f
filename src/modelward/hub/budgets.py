"""The ledgers of all policies with a budget: what they grant is in the store before it is answered."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson

from modelward.api.budget import BudgetState, BudgetTerms, Spend, SpendDecision, SpendRequest, day_of
from modelward.hub import layout
from modelward.hub.damage import Damage
from modelward.hub.errors import HubError, busy
from modelward.hub.ledger import (
    Ledger,
    cancel,
    knows,
    ledger_from_json,
    ledger_to_json,
    opened,
    reserve,
    rolled,
    settle,
)
from modelward.hub.objects import ObjectStore

log = logging.getLogger(__name__)
MAX_POLICIES = 200
"""Ledgers of one namespace; a ledger takes at most about 100 KB."""
_UNREADABLE = (KeyError, TypeError, AttributeError, ValueError, OverflowError)
PolicyKey = tuple[str, str]
"""namespace, policy"""


@dataclass(slots=True)
class Budgets:
    """Ledgers by policy. Terms come from the operator; until it has named a policy, nothing of it is granted."""

    objects: ObjectStore
    damage: Damage
    clock_ms: Callable[[], int]
    _terms: dict[PolicyKey, BudgetTerms] = field(default_factory=dict)
    _ledgers: dict[PolicyKey, Ledger] = field(default_factory=dict)
    _damaged: set[PolicyKey] = field(default_factory=set)
    """Ledgers that could not be read at the start."""
    _stored: dict[PolicyKey, Ledger] = field(default_factory=dict)
    _storing: dict[PolicyKey, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def load(self) -> None:
        """Read what an earlier process has granted; a damaged ledger is set aside, and counts as lost."""
        found: dict[PolicyKey, Ledger] = {}
        paths = [path async for path, _ in self.objects.paths(layout.BUDGETS_PREFIX)]
        for path in paths:
            key = layout.budget_names(path)
            if key is None:
                continue
            try:
                found[key] = ledger_from_json(orjson.loads(await self.objects.get(path) or b""))
            except _UNREADABLE:
                self.damage.found("budget", path)
                await self.damage.set_aside(path)
                self._damaged.add(key)
        self._ledgers, self._stored = found, dict(found)

    def set_terms(self, rows: Sequence[BudgetTerms]) -> list[PolicyKey]:
        """Take the terms of all policies; return those that are over the number of their namespace.

        A ledger that is not there begins with what the status has seen.
        """
        terms: dict[PolicyKey, BudgetTerms] = {}
        left: list[PolicyKey] = []
        number: Counter[str] = Counter()
        day = day_of(self.clock_ms())
        for row in sorted(rows, key=lambda row: (row.namespace, row.policy)):
            key = row.namespace, row.policy
            if number[row.namespace] >= MAX_POLICIES:
                left.append(key)
                continue
            number[row.namespace] += 1
            terms[key] = row
            known = self._ledgers.get(key)
            if known is None and row.seen is not None:
                self._ledgers[key] = opened(day, row.seen)
            elif known is None and key in self._damaged:
                self._ledgers[key] = Ledger(day, lost=True)
        self._terms = terms
        return left

    async def reserve(self, namespace: str, policy: str, asked: SpendRequest) -> SpendDecision:
        """Grant a request or refuse it; HubError when that cannot be known, or could not be stored."""
        key = namespace, policy
        terms, ledger = self._terms.get(key), self._ledgers.get(key)
        if terms is None or ledger is None:
            raise busy(f"the budget of policy {policy} is not known yet; the operator names it within seconds")
        ledger = rolled(ledger, day_of(self.clock_ms()))
        self._ledgers[key], decision = reserve(ledger, asked, terms.limits)
        if decision.refusal is None:
            try:
                await self._store(key)
            except HubError:
                self._ledgers[key] = cancel(self._ledgers[key], asked.key)
                raise
            if not knows(self._ledgers[key], asked.key):  # it was asked twice, and the first write failed
                raise busy("the reservation could not be stored; ask again")
        return decision

    async def settle(self, namespace: str, policy: str, name: str, used: Spend | None, unreported: int = 0) -> None:
        """Settle a reservation. It is stored with the next one, or by `flush`; until then a crash leaves it spent."""
        key = namespace, policy
        if ledger := self._ledgers.get(key):
            self._ledgers[key] = settle(rolled(ledger, day_of(self.clock_ms())), name, used, unreported)

    async def flush(self) -> None:
        """Store what was settled since the last reservation; HubError when the store refuses."""
        for key in [key for key, ledger in self._ledgers.items() if ledger != self._stored.get(key, ledger)]:
            await self._store(key)

    def states(self) -> list[BudgetState]:
        """Return what each policy that the operator has named has spent today."""
        day = day_of(self.clock_ms())
        return [self._state(key, rolled(self._ledgers[key], day)) for key in self._terms if key in self._ledgers]

    async def tidy(self) -> None:
        """Delete the ledgers of policies that are gone, once their day is over."""
        day = day_of(self.clock_ms())
        gone = [key for key, ledger in self._ledgers.items() if key not in self._terms and ledger.day + 1 < day]
        if not self._terms:
            return  # the operator may not have been heard since the start
        await self._delete(gone)

    async def erase(self, namespace: str) -> None:
        """Delete the ledgers of a namespace whose policies are gone; of others they are needed."""
        gone = [key for key in self._ledgers if key[0] == namespace and key not in self._terms]
        await self._delete(gone)

    async def _delete(self, gone: list[PolicyKey]) -> None:
        await self.objects.delete([layout.budget_path(*key) for key in gone])
        for key in gone:
            self._ledgers.pop(key, None)
            self._stored.pop(key, None)
            self._storing.pop(key, None)

    def _state(self, key: PolicyKey, ledger: Ledger) -> BudgetState:
        return BudgetState(
            *key, ledger.day, ledger.total, ledger.lost, ledger.unreported, ledger.refused, ledger.evaluators
        )

    async def _store(self, key: PolicyKey) -> None:
        """Return when the ledger is in the store as it is now; who waits meanwhile shares the next write."""
        async with self._storing[key]:
            ledger = self._ledgers[key]
            if ledger != self._stored.get(key):
                await self.objects.put(layout.budget_path(*key), orjson.dumps(ledger_to_json(ledger)))
                self._stored[key] = ledger
