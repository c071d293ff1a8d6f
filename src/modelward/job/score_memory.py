"""What was scored before, from the hub: a window that is judged again costs nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import get_args

from modelward.api.exchange import Exchange
from modelward.api.kept_score import KeptScore, KeptState, kept_score_to_json, record_digest
from modelward.evaluate.score import Score
from modelward.hub_client.client import FoundScores, HubClient, HubUnavailableError, ScoreSet

log = logging.getLogger(__name__)
WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0)
"""For what another Job is scoring: longer than the hub keeps a claim, so that a Job which crashed is taken over."""


@dataclass(slots=True)
class HubScores:
    """The memory of one evaluator of one endpoint in one Job, `holder`. A hub that does not answer costs tokens, and no
    verdict: what cannot be found is scored."""

    client: HubClient
    where: ScoreSet
    holder: str
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _told: bool = field(default=False)

    async def known(self, exchanges: Sequence[Exchange]) -> Sequence[Score | None]:
        """Return the scores of exchanges as they are now; those of what has changed since do not count."""
        found = await self._find(exchanges)
        for pause_s in WAITS_S:
            if not found.busy:
                break
            await self.sleep(pause_s)
            found = await self._find(exchanges)
        kept = ((one, found.scores.get(one.id)) for one in exchanges)
        return [_score(row) if row and row.record == record_digest(one) else None for one, row in kept]

    async def keep(self, scored: Sequence[tuple[Exchange, Score]]) -> None:
        """Store what was scored; what failed is scored again another time."""
        endpoint = f"{self.where.namespace}/{self.where.endpoint}"
        lines = [
            {**kept_score_to_json(_kept(exchange, one)), "endpoint": endpoint, "set": self.where.score_set}
            for exchange, one in scored
            if one.state in get_args(KeptState)
        ]
        try:
            if lines:
                await self.client.post_scores(lines)
        except HubUnavailableError as error:
            self._tell(error)

    async def _find(self, exchanges: Sequence[Exchange]) -> FoundScores:
        try:
            return await self.client.find_scores(self.where, exchanges, self.holder)
        except HubUnavailableError as error:
            self._tell(error)
            return FoundScores({}, frozenset())

    def _tell(self, error: HubUnavailableError) -> None:
        if not self._told:
            log.warning("scores=not_remembered endpoint=%s cause=%s", self.where.endpoint, error)
        self._told = True


def _kept(exchange: Exchange, one: Score) -> KeptScore:
    state: KeptState = one.state if one.state in ("Scored", "Abstained") else "NotApplicable"
    return KeptScore(
        exchange.id, exchange.time_ms, state, one.flagged, one.value, one.number, one.label,
        record_digest(exchange), exchange.conversation, one.by, one.explanation,
    )  # fmt: skip


def _score(kept: KeptScore) -> Score:
    return Score(
        kept.id, kept.state, bool(kept.flagged), kept.value, kept.label, kept.number, kept.explanation, by=kept.by
    )
