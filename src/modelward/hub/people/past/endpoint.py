"""All alerts of one policy and endpoint over a time that is past: which episodes there would have been."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from modelward.alerts.episode import AlertInput
from modelward.alerts.replay import PastEpisode, replay
from modelward.alerts.routing import Routing, routing_of
from modelward.alerts.timing import Timing
from modelward.api.alerts import AlertsSpec
from modelward.api.monitoringpolicy import MonitoringPolicySpec
from modelward.api.policy_evaluation import Evaluation
from modelward.api.preview import PreviewEpisode
from modelward.hub.history.points import Points
from modelward.hub.people.past.burns import past_burn
from modelward.hub.people.past.evaluations import PastScores, past_evaluation
from modelward.hub.people.past.heard import Heard
from modelward.hub.people.past.objectives import past_objective
from modelward.hub.people.past.readiness import past_readiness
from modelward.hub.people.past.revisions import PastRevisions
from modelward.status.burn import STEP_MS


@dataclass(frozen=True, slots=True)
class PastEndpoint:
    """What is known of an endpoint's past: rows of the time and an hour before, and rows of three days before.

    `scores` are those of evaluations that were scored as the policy asks now, by `scored_as`.
    """

    name: str
    points: Points
    before: Points
    from_ms: int
    revisions: PastRevisions = field(default_factory=PastRevisions)
    scores: Mapping[str, PastScores] = field(default_factory=dict)

    @property
    def seen_ppm(self) -> int:
        """The share of the time that was watched."""
        grid, covered = self.points.grid, self.points.of((), "covered")
        begins = max(0, (self.from_ms - grid.from_ms) // grid.step_ms)
        rows = covered[begins:]
        return min(1_000_000, sum(rows) * 1_000_000 // (grid.step_ms * max(1, len(rows))))


Paced: TypeAlias = Callable[[Iterator[Heard]], Iterator[Heard]]
"""What passes rows on, or raises once it has taken too long."""

_Hearing: TypeAlias = Callable[[], Iterator[Heard]]
Replays: TypeAlias = dict[tuple[str, Timing], tuple[PastEpisode, ...]]
"""What was replayed of an endpoint, by the check as JSON and the timing of its alerts."""


def scored_as(asked: Evaluation) -> str:
    """Return by what the scores of an evaluation are known: its name and what scores."""
    return asked.model_dump_json(include={"name", "check", "evaluator_ref"})


def past_episodes(
    policy: str,
    spec: MonitoringPolicySpec,
    known: PastEndpoint,
    replays: Replays | None = None,
    paced: Paced = lambda heard: heard,
) -> Iterator[PreviewEpisode]:
    """Yield the episodes of each alert in turn, none of a paused policy; what is in `replays` is not repeated."""
    routing = routing_of(policy, spec.alerts or AlertsSpec())
    found = {} if replays is None else replays
    for name, asked, heard in _alerts(policy, spec, known) if not spec.paused else ():
        key = (f"{name} {asked}", routing.timing)
        if key not in found:
            found[key] = replay(_pairs(paced(heard())), routing.timing)
        yield from (_episode(known.name, name, one, routing) for one in found[key])


def can_burn(points: Points) -> bool:
    """Return whether rows are short enough for the windows of an error budget."""
    return points.grid.step_ms <= STEP_MS


def _alerts(policy: str, spec: MonitoringPolicySpec, known: PastEndpoint) -> Iterator[tuple[str, str, _Hearing]]:
    points, from_ms = known.points, known.from_ms
    for asked in spec.objectives:
        text = asked.model_dump_json()
        yield f"Objective/{asked.name}", text, partial(past_objective, policy, asked, points, known.revisions, from_ms)
        if asked.budget is not None and asked.severity != "Info" and can_burn(points):
            yield f"BudgetBurn/{asked.name}", text, partial(past_burn, policy, asked, known.before, points, from_ms)
    for one in spec.evaluations:
        if (scores := known.scores.get(scored_as(one))) is not None:
            yield f"Check/{one.name}", one.model_dump_json(), partial(_evaluated, policy, one, scores, known)
    if spec.alerts is not None:
        yield "NotReady", "", partial(past_readiness, policy, points, from_ms)


def _evaluated(policy: str, asked: Evaluation, scores: PastScores, known: PastEndpoint) -> Iterator[Heard]:
    return past_evaluation(policy, asked, scores, known.points, known.revisions, known.from_ms)


def _episode(endpoint: str, alert: str, found: PastEpisode, routing: Routing) -> PreviewEpisode:
    receivers = (who for route in routing.of(alert, found.severity) for who in route.receivers)
    return PreviewEpisode(
        endpoint=endpoint,
        alert=alert,
        severity=found.severity,
        reason=found.reason,
        since_ms=found.since_ms,
        until_ms=found.until_ms,
        closed=found.closed,
        message=found.what,
        told=tuple(dict.fromkeys(receivers)),
    )


def _pairs(heard: Iterator[Heard]) -> Iterator[tuple[int, AlertInput]]:
    return ((one.at_ms, one.seen) for one in heard)
