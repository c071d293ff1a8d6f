"""What a calibration remembers when it is interrupted: scores of labels, and the tokens that they took."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, get_args

from modelward.api.budget import Spend, TokenPrices
from modelward.api.exchange import Exchange
from modelward.evaluate.port import BudgetExhaustedError
from modelward.evaluate.score import Score, ScoreState
from modelward.hub_client.client import HubClient
from modelward.job.calibration.label_records import digest_of

ALLOWANCE = 20_000
"""Tokens that are set aside at once, so that not each request waits for the hub; a crash costs that many at most."""
KEPT_STATES = frozenset({"Scored", "NotApplicable", "Abstained"})
"""Of scores that are not made again; what failed is."""
_ROW = 5


class LabelStore(Protocol):
    """Where it is kept; each key's rows as a whole."""

    async def read(self, key: str) -> Mapping[str, Any]:
        """Return the rows of a key; none where nothing was kept."""
        ...

    async def write(self, key: str, rows: Mapping[str, Any]) -> None:
        """Keep the rows of a key."""
        ...


@dataclass(frozen=True, slots=True)
class HubLabelStore:
    """In the hub, under the evaluator."""

    client: HubClient
    namespace: str
    evaluator: str

    async def read(self, key: str) -> Mapping[str, Any]:
        """Return what an earlier Job left. Raises HubUnavailableError."""
        return await self.client.label_scores(self.namespace, self.evaluator, key)

    async def write(self, key: str, rows: Mapping[str, Any]) -> None:
        """Keep it. Raises HubUnavailableError."""
        await self.client.put_label_scores(self.namespace, self.evaluator, key, rows)


@dataclass(slots=True)
class NoLabelStore:
    """By hand nothing is kept."""

    async def read(self, key: str) -> Mapping[str, Any]:  # noqa: ARG002
        """Return nothing."""
        return {}

    async def write(self, key: str, rows: Mapping[str, Any]) -> None:
        """Keep nothing."""


@dataclass(slots=True)
class CalibrationMemory:
    """Scores of one version by readout and record, and its tokens: `spent`, of which `allowed` are set aside."""

    store: LabelStore
    key: str
    limit: int
    scores: dict[str, Any] = field(default_factory=dict)
    spent: int = 0
    allowed: int = 0
    refused: bool = False
    _open: dict[str, int] = field(default_factory=dict)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    async def of(cls, store: LabelStore, version: str, limit: int) -> CalibrationMemory:
        """Return what is known of a version; tokens that an interrupted run had set aside count as spent."""
        key = hashlib.sha256(version.encode()).hexdigest()[:32]
        rows = await store.read(key)
        scores, spent = rows.get("scores"), rows.get("allowed")
        spent = spent if isinstance(spent, int) and spent >= 0 else 0
        return cls(store, key, limit, dict(scores) if isinstance(scores, dict) else {}, spent, spent)

    def under(self, readout: str) -> ReadoutMemory:
        """Return the scores under one readout."""
        return ReadoutMemory(self, readout)

    async def reserve(self, evaluator: str, worst: Spend, prices: TokenPrices | None) -> str:  # noqa: ARG002
        """Set the tokens of one request aside; return the key to settle them by. Raises BudgetExhaustedError."""
        async with self._writing:
            if self.refused or self.spent + worst.tokens > self.limit:
                self.refused = True
                raise BudgetExhaustedError(f"{self.spent} of {self.limit} tokens are spent", unsent=True)
            if self.spent + worst.tokens > self.allowed:
                self.allowed = min(self.limit, self.spent + worst.tokens + ALLOWANCE)
                await self._write()
            self.spent += worst.tokens
        key = uuid.uuid4().hex
        self._open[key] = worst.tokens
        return key

    async def settle(self, key: str, spend: Spend | None) -> None:
        """Put what a request used in the place of its worst case; None where the answer did not say."""
        worst = self._open.pop(key, 0)
        if spend is not None:
            self.spent += min(spend.tokens, worst) - worst

    def abandon(self, key: str) -> None:
        """Count a request that was cut short as spent."""
        self._open.pop(key, None)

    async def keep(self, rows: Mapping[str, Any]) -> None:
        """Keep scores."""
        async with self._writing:
            self.scores |= rows
            await self._write()

    async def close(self) -> None:
        """Say what was really spent."""
        async with self._writing:
            self.allowed = self.spent
            await self._write()

    async def _write(self) -> None:
        await self.store.write(self.key, {"allowed": self.allowed, "scores": self.scores})


@dataclass(frozen=True, slots=True)
class ReadoutMemory:
    """The memory of a scorer."""

    memory: CalibrationMemory
    readout: str

    async def known(self, exchanges: Sequence[Exchange]) -> Sequence[Score | None]:
        """Return the scores that there are."""
        return [_score(one.id, self.memory.scores.get(self._key(one))) for one in exchanges]

    async def keep(self, scored: Sequence[tuple[Exchange, Score]]) -> None:
        """Keep those that hold."""
        rows = {
            self._key(one): [score.state, score.flagged, score.value, score.label, score.by]
            for one, score in scored
            if score.state in KEPT_STATES
        }
        if rows:
            await self.memory.keep(rows)

    def _key(self, exchange: Exchange) -> str:
        return f"{self.readout}:{digest_of(exchange)}"


def _score(name: str, row: Any) -> Score | None:
    if not isinstance(row, list) or len(row) != _ROW or row[0] not in get_args(ScoreState):
        return None
    state, flagged, value, label, by = row
    try:
        return Score(name, state, flagged is True, None if value is None else float(value), str(label), by=str(by))
    except (TypeError, ValueError):
        return None
