"""What judging objectives and evaluations has in common: what it relies on, how sure it must be, what stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelward.api.base import Severity
from modelward.api.calibration import OwnLabels
from modelward.api.check_status import CheckStatus
from modelward.api.policy_evaluation import Evaluation
from modelward.api.policy_objective import PolicyObjective
from modelward.api.quantity import percent_text
from modelward.desired.monitoring_plan import BoundEvaluation, BoundObjective
from modelward.evaluate.statistics.sequence import CRITICAL, CRITICAL_READINGS, WARNING, Odds
from modelward.reasons.checks import CheckReason
from modelward.status.checks import Check, Concern
from modelward.status.evaluator_container import ContainerFailure
from modelward.status.revision import Revision
from modelward.status.standing import S, since_then, stand

SEEN_ENOUGH_PPM = 900_000
"""Below this share of the engine's own count, what we see is no fair sample of the traffic."""
ODDS: dict[Severity, Odds] = {"Info": WARNING, "Warning": WARNING, "Critical": CRITICAL}
"""How sure a failure is where it is asked after each window."""
READING_ODDS: Mapping[Severity, Odds] = ODDS | {"Critical": CRITICAL_READINGS}
"""And where it is asked at each reading of metrics."""


@dataclass(frozen=True, slots=True)
class JudgementInput:
    """What may be relied on when judging: the serving revision, the share of traffic seen, whether the hub is up.

    `failing` says by policy and evaluation what keeps an evaluator's container from answering, `labels` what people
    said of the endpoint's exchanges.
    """

    revision: Revision
    traffic_seen_ppm: int | None = None
    hub_problem: str = ""
    failing: Mapping[tuple[str, str], ContainerFailure] = field(default_factory=dict)
    labels: Mapping[tuple[str, str], OwnLabels] = field(default_factory=dict)


def told_of(paused: bool, found: S, before: S | None, sight: JudgementInput, now_ms: int) -> S:
    """Return what status says from now on: what was found, or what stands. A paused policy keeps its last verdict."""
    if paused and found.verdict == "Unknown" and before is not None and before.verdict != "Unknown":
        return before
    return stand(found, before, sight.revision.hashes, now_ms)


def check_of(
    bound: BoundObjective | BoundEvaluation,
    asked: PolicyObjective | Evaluation,
    concern: Concern,
    found: CheckStatus,
    told: CheckStatus,
) -> Check:
    """Return the check as conditions and health take it: `told` is what stands, `found` what evidence says now."""
    return Check(
        policy=bound.policy,
        name=asked.name,
        concern=concern,
        severity=asked.severity,
        verdict=told.verdict,
        reason=CheckReason.named(told.reason),
        message=since_then(found, told),
        was=told.was or "",
        found_verdict=found.verdict,
        found_reason=CheckReason.named(found.reason),
    )


def bypassed(sight: JudgementInput) -> str:
    """Return why too much traffic goes past the collector for a verdict; empty where it does not, or is not known."""
    if sight.traffic_seen_ppm is None or sight.traffic_seen_ppm >= SEEN_ENOUGH_PPM:
        return ""
    return f"only {percent_text(sight.traffic_seen_ppm)} of the engine's requests come through the collector"
