"""Scores from outside, as a Job has them from the hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelward.api.exchange import Exchange
from modelward.api.kept_score import KeptScore
from modelward.evaluate.port import PortError
from modelward.hub_client.client import HubClient, HubUnavailableError, ScoreSet
from modelward.job.hub_past import Patiently

SLACK_MS = 24 * 3_600_000
"""How long before its exchange a score may come whose time is not known: then it has that at which it came."""


@dataclass(frozen=True, slots=True)
class HubOutsideScores:
    """Those of one endpoint."""

    client: HubClient
    namespace: str
    endpoint: str
    patiently: Patiently

    async def outside_scores(self, score_set: str, exchanges: Sequence[Exchange]) -> Mapping[str, KeptScore]:
        """Return the scores of a set by their exchange. Raises PortError."""
        where = ScoreSet(self.namespace, self.endpoint, score_set, SLACK_MS)
        try:
            return (await self.patiently(lambda: self.client.find_scores(where, exchanges))).scores
        except HubUnavailableError as error:
            raise PortError(f"the hub has not told the scores: {error}", unsent=True) from error
