"""Scores of single exchanges at the hub."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
import zstandard

from modelward.api.exchange import Exchange
from modelward.api.kept_score import KeptScore, kept_score_from_json
from modelward.hub_client.rows import readable
from modelward.hub_client.session import HubSession, decoded, rows_of


@dataclass(frozen=True, slots=True)
class ScoreSet:
    """A set of scores of one endpoint; they may have come `slack_ms` before or after their exchanges."""

    namespace: str
    endpoint: str
    score_set: str
    slack_ms: int = 0


@dataclass(frozen=True, slots=True)
class FoundScores:
    """Scores by their exchange, and the exchanges that another Job is scoring."""

    scores: Mapping[str, KeptScore]
    busy: frozenset[str]


class ScoreRequests(HubSession):
    """Scores that Jobs keep, so that no exchange is scored twice."""

    async def post_scores(self, lines: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
        """Post scores of exchanges; return how many were accepted and rejected. Again is no harm."""
        body = zstandard.compress(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        answer = decoded(await self.ask("POST", "/v1/scores", data=body, encoding="zstd"))
        return int(answer.get("accepted", 0)), int(answer.get("rejected", 0))

    async def find_scores(self, where: ScoreSet, exchanges: Sequence[Exchange], holder: str = "") -> FoundScores:
        """Return the scores that there are of exchanges in a set; a `holder` gets the others to score."""
        times = [one.time_ms for one in exchanges]
        ids = [one.id for one in exchanges]
        asked = {
            "ids": ids,
            "holder": holder,
            "from_ms": min(times) - where.slack_ms,
            "to_ms": max(times) + where.slack_ms,
        }
        path = f"/v1/scores/{quote(where.namespace)}/{quote(where.endpoint)}/{where.score_set}/lookup"
        answer = decoded(await self.ask("POST", path, json=asked))
        batches = readable(rows_of(answer, "scores"), kept_score_from_json, self.skipped)
        found = {one.id: one async for batch in batches for one in batch}
        return FoundScores(found, frozenset(str(one) for one in rows_of(answer, "busy")))
