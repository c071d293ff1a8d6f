"""What objectives counted and evaluations found over the periods of their error budgets, by the hub's history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from modelward.api.quantity import PPM
from modelward.api.series import ObjectivePeriod
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.status.error_budget import PeriodSums
from modelward.status.evaluation_budget import ScoredPeriod

_EVERY_MS = 300_000
_AT_ONCE = 10
"""Questions to the hub in one round, which comes every few seconds."""
_NOT_FOUND = 404
PeriodKey = tuple[str, int]
"""Endpoint, `namespace/name`, and the period in milliseconds."""


@dataclass(slots=True)
class _Question:
    mark: float
    """How many events the endpoint's objectives had counted when this was last answered, below 0 before."""
    due_ms: int = 0
    answer: ObjectivePeriod | None = None


@dataclass(slots=True)
class ErrorBudgetFeed:
    """Asks again where an endpoint had requests since, at most every five minutes; an idle one keeps its answer."""

    clock_ms: Callable[[], int]
    _questions: dict[PeriodKey, _Question] = field(default_factory=dict)
    _marks: dict[str, float] = field(default_factory=dict)

    def sums(self, endpoint: str, period_ms: int, policy: str, objective: str, mark: float) -> PeriodSums | None:
        """Return what an objective counted; None until the hub answers. `mark` grows with the endpoint's events."""
        answer = self._answer(endpoint, period_ms, mark)
        if answer is None:
            return None
        for one in answer.objectives:
            if (one.policy, one.name) == (policy, objective):
                return PeriodSums(one.events, one.bad, answer.seen, answer.problem)
        return PeriodSums(seen_ppm=0, problem=answer.problem)

    def scored(self, endpoint: str, period_ms: int, policy: str, evaluation: str, mark: float) -> ScoredPeriod | None:
        """Return what an evaluation found; None until the hub answers. `mark` as above."""
        answer = self._answer(endpoint, period_ms, mark)
        if answer is None:
            return None
        if answer.checks is None:
            return ScoredPeriod(problem="the hub is of an older version and has no sums of evaluations")
        for one in answer.checks:
            if (one.policy, one.name) == (policy, evaluation):
                seen_ppm = min(PPM, (answer.to_ms - one.first_ms) * PPM // max(1, period_ms))
                return ScoredPeriod(one.counts, seen_ppm, answer.problem)
        return ScoredPeriod(problem=answer.problem)

    def _answer(self, endpoint: str, period_ms: int, mark: float) -> ObjectivePeriod | None:
        """Return the last answer on a period, and ask again where the mark has grown since."""
        self._marks[endpoint] = mark
        return self._questions.setdefault((endpoint, period_ms), _Question(-1.0)).answer

    def forget(self, endpoint: str) -> None:
        """Drop the questions about an endpoint that is gone."""
        self._questions = {key: one for key, one in self._questions.items() if key[0] != endpoint}
        self._marks.pop(endpoint, None)

    async def refresh(self, hub: HubClient) -> frozenset[str]:
        """Ask what is due; return the endpoints with news. Raises HubUnavailableError."""
        now_ms = self.clock_ms()
        due = [key for key, one in self._questions.items() if self._due(key, one, now_ms)][:_AT_ONCE]
        fresh: set[str] = set()
        for endpoint, period_ms in due:
            namespace, _, name = endpoint.partition("/")
            question = self._questions[endpoint, period_ms]
            question.mark, question.due_ms = self._marks.get(endpoint, 0.0), now_ms + _EVERY_MS
            try:
                answer = await hub.objective_period(namespace, name, now_ms - period_ms, now_ms)
            except HubUnavailableError as error:
                if error.status != _NOT_FOUND:
                    question.mark = -1.0
                    raise
                continue
            if question.answer is None or _sums(answer) != _sums(question.answer):
                fresh.add(endpoint)
            question.answer = answer
        return frozenset(fresh)

    def _due(self, key: PeriodKey, question: _Question, now_ms: int) -> bool:
        waits = 0 < question.due_ms - now_ms <= _EVERY_MS
        return not waits and question.mark != self._marks.get(key[0], 0.0)


def _sums(answer: ObjectivePeriod) -> tuple[object, ...]:
    return answer.objectives, answer.checks
