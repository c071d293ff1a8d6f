"""What the hub keeps of an endpoint's past: its history, results of windows, what its status and people say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from pydantic import ValidationError

from modelward.api.calibration import OwnLabels
from modelward.api.endpoint_status import LLMEndpointStatus
from modelward.api.evaluation import WindowResult, result_from_json
from modelward.api.evaluator import EvaluatorStatus
from modelward.api.monitoringpolicy import MonitoringPolicySpec
from modelward.api.policy_evaluation import Evaluation
from modelward.api.preview import PreviewRequest
from modelward.api.shown_object import ShownName
from modelward.evaluate.pool import HELD_MS
from modelward.evaluate.verdict import FEWEST_OWN_LABELS
from modelward.hub.history.counts import counts
from modelward.hub.history.points import Points
from modelward.hub.history.store import HistoryStore
from modelward.hub.history.tiers import HOUR_MS, tier_for
from modelward.hub.people.past.endpoint import PastEndpoint, scored_as
from modelward.hub.people.past.evaluations import PastScores
from modelward.hub.people.past.problems import of_scores, unscored
from modelward.hub.people.past.revisions import PastRevisions, past_revisions
from modelward.hub.people.shown import ShownObjects
from modelward.hub.results import ResultStore
from modelward.status.burn import KEPT_MS, STEP_MS

_LOOKS_BACK_MS = HOUR_MS + 120_000
"""The longest `over` of an objective, and how far before it a reading may be that it begins with."""
CountedLabels = Callable[[str], Mapping[tuple[str, str], OwnLabels]]


@dataclass(frozen=True, slots=True)
class PastReader:
    """Reads for previews; `labels` of an endpoint (`namespace/name`) are by policy and evaluation."""

    shown: ShownObjects
    history: HistoryStore
    results: ResultStore
    labels: CountedLabels

    def step_ms(self, from_ms: int, to_ms: int) -> int:
        """Return how long a row is of the time."""
        return tier_for(from_ms - _LOOKS_BACK_MS, to_ms, self.shown.clock_ms()).step_ms

    async def read(
        self,
        asked: PreviewRequest,
        endpoint: tuple[str, Mapping[str, Any]],
        specs: Sequence[MonitoringPolicySpec],
        now: MonitoringPolicySpec | None,
    ) -> PastEndpoint:
        """Return what is known of an endpoint, its name and what is shown of it; HubError as the history's.

        `specs` are those that ask, `now` the policy as it is, by which evaluations were scored.
        """
        name, row = endpoint
        where = (asked.namespace, name)
        points = await self._points(where, asked.from_ms - _LOOKS_BACK_MS, asked.to_ms)
        begins_ms = points.grid.from_ms
        budgets = any(one.budget is not None for spec in specs for one in spec.objectives)
        before = await self._points(where, begins_ms - KEPT_MS - STEP_MS, begins_ms) if budgets else points
        known = {one.name: one for one in now.evaluations} if now else {}
        asks = {scored_as(one): one for spec in specs for one in spec.evaluations}
        scored = {key: one for key, one in asks.items() if not unscored(one, known.get(one.name))}
        return PastEndpoint(
            name=name,
            points=points,
            before=before,
            from_ms=asked.from_ms,
            revisions=_revisions(row),
            scores=await self._scores(asked, name, scored) if scored else {},
        )

    def problems(self, known: PastEndpoint, spec: MonitoringPolicySpec) -> Iterator[str]:
        """Yield what is not known of an endpoint's past, of what a spec asks."""
        if told := known.revisions.problem(known.from_ms):
            yield told
        asked = [known.scores[key] for one in spec.evaluations if (key := scored_as(one)) in known.scores]
        yield from of_scores(asked, FEWEST_OWN_LABELS)

    async def _points(self, endpoint: tuple[str, str], from_ms: int, to_ms: int) -> Points:
        read = partial(counts, endpoint=endpoint, span=(max(0, from_ms), to_ms), now_ms=self.shown.clock_ms())
        return await self.history.read(endpoint, read)

    async def _scores(
        self, asked: PreviewRequest, name: str, evaluations: Mapping[str, Evaluation]
    ) -> dict[str, PastScores]:
        endpoint = f"{asked.namespace}/{name}"
        stored = await self.results.of_policy(endpoint, asked.name, asked.from_ms - HELD_MS)
        results = await asyncio.to_thread(_read, stored)
        labels = self.labels(endpoint)
        return {
            key: PastScores(
                one.name,
                [found for found in results if found.evaluation == one.name],
                labels.get((asked.name, one.name)),
                self._calibration(asked.namespace, one),
            )
            for key, one in evaluations.items()
        }

    def _calibration(self, namespace: str, asked: Evaluation) -> EvaluatorStatus | None:
        reference = asked.evaluator_ref
        entry = self.shown.get(ShownName("Evaluator", namespace, reference.name)) if reference else None
        with suppress(ValidationError):
            return EvaluatorStatus.model_validate(entry.decoded().get("status") or {}) if entry else None
        return None


def _revisions(row: Mapping[str, Any]) -> PastRevisions:
    status = LLMEndpointStatus.model_validate(row.get("status") or {})
    return past_revisions(status, status.collector.mode if status.collector else "")


def _read(stored: Sequence[bytes]) -> list[WindowResult]:
    found = []
    for data in stored:
        with suppress(ValueError):
            found.append(result_from_json(orjson.loads(data)))
    return found
