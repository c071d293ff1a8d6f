"""What the newest run says of a judge: whether it answers, who answered, and how its answers are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelward.api.evaluation import Counts, WindowResult
from modelward.api.evaluator import AskedStatus
from modelward.desired.finding import Finding
from modelward.evaluate.judge.session import OF_THE_WAY, TERMINAL
from modelward.reasons.policy import ReachableReason
from modelward.status.conditions import ConditionState

_REACHABLE = "Reachable"


@dataclass(frozen=True, slots=True)
class JudgeState:
    """The parts of an Evaluator's status that only its results tell; `version` is empty before the first."""

    reachable: ConditionState
    asked: AskedStatus | None = None
    version: str = ""


def judge_state(name: str, results: Iterable[WindowResult], unplaced: Finding | None) -> JudgeState:
    """Return what is known of the judge of this name; `unplaced` says that its LLMEndpoint has no address."""
    heard = [one for one in results if one.asked is not None and one.evaluator.name == name]
    newest = max(heard, key=lambda one: (one.to_ms, one.run), default=None)
    asked, version = _asked(newest), newest.evaluator.version if newest else ""
    if unplaced is not None:
        return JudgeState(ConditionState(_REACHABLE, "False", unplaced.reason, unplaced.message), asked, version)
    if newest is None:
        told = "it was not asked yet: no evaluation that uses it has run"
        return JudgeState(ConditionState(_REACHABLE, "Unknown", ReachableReason.NOT_ASKED_YET, told))
    return JudgeState(_reachable(sum(newest.revisions.values(), Counts())), asked, version)


def still_asked(now: AskedStatus | None, before: AskedStatus | None) -> AskedStatus | None:
    """Return how the judge is asked: a run that paid for nothing new does not know what the judge had refused."""
    if now is None or before is None or (now.model, now.readout) != (before.model, before.readout):
        return now
    return now if now.left_out else before


def _asked(newest: WindowResult | None) -> AskedStatus | None:
    if newest is None or newest.asked is None:
        return None
    told = newest.asked
    return AskedStatus(model=told.model, readout=told.readout, left_out=told.left_out)


def _reachable(found: Counts) -> ConditionState:
    """Return whether any exchange of the newest window reached the judge, and was answered in whatever way."""
    missed = [(number, cause) for cause, number in found.causes if cause in OF_THE_WAY | TERMINAL]
    tried = found.samples + found.abstained + found.failed
    if not missed or sum(number for number, _ in missed) < tried:
        return ConditionState(_REACHABLE, "True", ReachableReason.JUDGE_ANSWERS)
    cause = max(missed)[1]
    told = f"{cause}: none of {tried} exchanges of the newest window found a judge that answers"
    return ConditionState(_REACHABLE, "False", ReachableReason.JUDGE_UNAVAILABLE, told)
