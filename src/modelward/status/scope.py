"""What a MonitoringPolicy says of the scopes that its evaluations judge by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelward.api.base import ConditionStatus
from modelward.api.scope import ScopeFacts
from modelward.evaluate.scope_check import FALL_OUT, MIN_EXAMPLES
from modelward.reasons.policy import ScopeReason
from modelward.reasons.reason import Reason
from modelward.status.conditions import ConditionState

_NAMED = 8
"""Lines and examples of a scope that are named."""
_TOLD = 3
"""Scopes of which it is told which questions fall out."""

_NEXT = (
    "give each part of such a line a line of its own, or write inScopeExamples like them (modelward evaluators check"
    " shows the questions)"
)


@dataclass(frozen=True, slots=True)
class EvaluationScope:
    """A scope, the evaluations that judge by it, and what is found of it; None before it was checked."""

    evaluations: tuple[str, ...]
    facts: ScopeFacts | None

    @property
    def holds(self) -> bool:
        """Whether no more of its own questions fall out than may."""
        return self.facts is not None and self.facts.fallen <= FALL_OUT * self.facts.questions


def scope_checked(scopes: Sequence[EvaluationScope]) -> tuple[ConditionState, ...]:
    """Return the condition ScopeChecked; none where no evaluation judges by a scope.

    Questions are named by their place in the configuration: an example may be what a person really asked.
    """
    if not scopes:
        return ()
    known = [(one, one.facts) for one in scopes if one.facts is not None]
    bad = [(one, facts) for one, facts in known if not one.holds]
    if bad:
        told = "; ".join(_fallen(one, facts) for one, facts in bad[:_TOLD])
        more = f"; and {len(bad) - _TOLD} more scopes" if len(bad) > _TOLD else ""
        return (_state("False", ScopeReason.QUESTIONS_FALL_OUT, f"{told}{more}; {_NEXT}"),)
    if len(known) < len(scopes):
        waiting = ", ".join(name for one in scopes if one.facts is None for name in one.evaluations)
        return (_state("Unknown", ScopeReason.NOT_CHECKED_YET, f"the first run of {waiting} checks the scope"),)
    inside = sum(facts.questions - facts.fallen for _, facts in known)
    told = f"{inside} of {sum(facts.questions for _, facts in known)} in-scope questions stay in"
    return (_state("True", ScopeReason.QUESTIONS_STAY_IN, told + _few(known)),)


def _state(status: ConditionStatus, reason: Reason, message: str) -> ConditionState:
    return ConditionState("ScopeChecked", status, reason, message)


def _fallen(scope: EvaluationScope, facts: ScopeFacts) -> str:
    places = [f"inScope[{place}]" for place in facts.lines_out]
    places += [f"inScopeExamples[{place}]" for place in facts.examples_out]
    named = ", ".join(places[:_NAMED]) + (", and others" if len(places) > _NAMED else "")
    return f"{', '.join(scope.evaluations)}: {facts.fallen} of {facts.questions} in-scope questions fall out ({named})"


def _few(known: Sequence[tuple[EvaluationScope, ScopeFacts]]) -> str:
    """Return which evaluations have no error rates for want of examples."""
    names = ", ".join(name for one, facts in known if facts.lost is None for name in one.evaluations)
    return f"; {names}: error rates take {MIN_EXAMPLES} inScopeExamples or a calibration" if names else ""
