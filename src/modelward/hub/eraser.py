"""Everything of a namespace, an endpoint or less, taken away wherever the hub has it, with a record of who asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from modelward.hub.audit import AuditLog
from modelward.hub.budgets import Budgets
from modelward.hub.calibrations import CalibrationStore
from modelward.hub.erasure import Erasure, ErasureScope, audited, erase
from modelward.hub.history.store import HistoryStore
from modelward.hub.keys import KeyRing
from modelward.hub.people.labels import PeopleLabels
from modelward.hub.results import ResultStore
from modelward.hub.scopes import ScopeStore
from modelward.hub.scores import ScoreStore
from modelward.hub.store import ExchangeStore


@dataclass(frozen=True, slots=True)
class Eraser:
    """All that is kept of people and namespaces; `flush` stores what was accepted and is not stored yet."""

    store: ExchangeStore
    results: ResultStore
    scores: ScoreStore
    scopes: ScopeStore
    calibrations: CalibrationStore
    history: HistoryStore
    budgets: Budgets
    labels: PeopleLabels
    keys: KeyRing
    audit: AuditLog
    flush: Callable[[], Awaitable[None]]

    async def erase(self, target: ErasureScope, who: str, by: str = "") -> tuple[Erasure, bool]:
        """Erase and write down who asked, in the name of whom; HubError when the store refuses, as `erasure.erase`.

        Return what went, and whether the audit has it.
        """
        keys = self.keys.all(target.namespace)
        done = await erase(self.store, self.results, self.scores, self.labels, target, keys, self.flush)
        if target.whole_namespace:
            await self.scopes.erase(target.namespace)
            await self.calibrations.erase(target.namespace)
            await self.budgets.erase(target.namespace)
            await self.history.purge(target.namespace)
        return done, await self.audit.add(who, "erase", audited(target, keys), done.exchanges, by)

    async def namespaces(self) -> frozenset[str]:
        """Return the namespaces of which there is anything; HubError while the history cannot say."""
        history = await self.history.used() if self.history.state == "Ready" else {}
        labelled = (name.partition("/")[0] for name in self.labels.endpoints())
        return frozenset({*self.store.index.namespaces(), *history, *labelled})
