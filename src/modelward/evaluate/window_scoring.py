"""Comparing a window as a whole, so that a failure is said and never looks like no change."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from modelward.api.evaluation import WindowResult
from modelward.api.exchange import Exchange
from modelward.api.window_answer import WindowTest
from modelward.evaluate.kinds.kind import WindowKind
from modelward.evaluate.past import PastTraffic
from modelward.evaluate.port import PortError, UnansweredError
from modelward.evaluate.scoring import Scorer, score
from modelward.reasons.checks import CheckReason

log = logging.getLogger(__name__)


async def window_tests(scorer: Scorer, exchanges: Sequence[Exchange], past: PastTraffic) -> tuple[WindowTest, ...]:
    """Return the tests of an evaluator of change; one with reason EvaluatorFailing where it failed.

    Errors, cancelled requests and exchanges without what the evaluator needs are left out, as scores do it. A hub that
    does not answer is the caller's to see: whatever `past` raises comes through.
    """
    if scorer.evaluator.answers != "Change" or not isinstance(scorer.kind, WindowKind):
        return ()
    scores = await score(scorer, exchanges)
    judged = [one for one, found in zip(exchanges, scores, strict=True) if found.state == "Scored"]
    guarded = _Guarded(past)
    try:
        return await scorer.kind.test(scorer.evaluator, judged, guarded, scorer.port)
    except Exception as error:
        if guarded.failed is not None:
            raise
        log.warning("comparing failed evaluator=%s cause=%s", scorer.evaluator.name, _word(error))
        failing = _failing(error)
        return tuple(replace(failing, revision=name) for name in sorted({one.revision for one in judged}))


def _failing(error: Exception) -> WindowTest:
    """Return the test of a revision that could not be compared, with counts and a word of ours: never a message."""
    failed, answered = (error.failed, error.answered) if isinstance(error, UnansweredError) else (0, 0)
    reason = CheckReason.EVALUATOR_FAILING
    return WindowTest("", answered, answered, 0, reason=reason, cause=_word(error), failed=failed)


def _word(error: Exception) -> str:
    if isinstance(error, UnansweredError):
        return error.word
    return str(error.cause) if isinstance(error, PortError) else type(error).__name__


class _Guarded:
    """The past, with the last exception that it raised, so that it is told from the evaluator's own."""

    def __init__(self, past: PastTraffic) -> None:
        self._past = past
        self.failed: Exception | None = None

    async def window(self, from_ms: int, to_ms: int) -> Sequence[Exchange]:
        try:
            return await self._past.window(from_ms, to_ms)
        except Exception as error:
            self.failed = error
            raise

    async def last(self) -> WindowResult | None:
        try:
            return await self._past.last()
        except Exception as error:
            self.failed = error
            raise
