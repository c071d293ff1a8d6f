"""Which ended runs are kept: the last few that the schedule made, and all that people made."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from modelward.api.evaluationrun import EvaluationRun
from modelward.api.quantity import timestamp
from modelward.desired import runs
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import EVALUATION_RUN
from modelward.status.run import finished

log = logging.getLogger(__name__)

_KEPT_GOOD, _KEPT_BAD = 3, 10
_CLOCKS_APART_MS = 60_000
"""How far the API server's clock may be ahead of ours."""


def scheduled(run: EvaluationRun) -> bool:
    """Return whether the operator made a run, because something was due."""
    return runs.is_scheduled(run.metadata.name)


async def tidy(client: Client, known: Sequence[EvaluationRun], now_ms: int) -> None:
    """Delete all but the last few scheduled runs, fewer good than bad ones, each as it was when we looked."""
    for run in _surplus(known, now_ms):
        about = run.metadata
        place = (about.namespace, about.name)
        try:
            await client.delete(EVALUATION_RUN, *place, uid=about.uid, resource_version=about.resource_version)
        except ApiError as error:
            log.warning("run=not_tidied namespace=%s name=%s error=%r", *place, str(error))


def _surplus(known: Sequence[EvaluationRun], now_ms: int) -> tuple[EvaluationRun, ...]:
    ended = [run for run in known if scheduled(run) and finished(run.status)]
    # What was made in the future was made before the clock was set back: the oldest there is.
    latest = timestamp(now_ms + _CLOCKS_APART_MS)
    ended.sort(key=lambda run: (_created(run) <= latest, _created(run), run.metadata.name), reverse=True)
    good = [run for run in ended if run.status.result in ("Passed", "Failed")]
    bad = [run for run in ended if run.status.result not in ("Passed", "Failed")]
    return (*good[_KEPT_GOOD:], *bad[_KEPT_BAD:])


def _created(run: EvaluationRun) -> str:
    return run.metadata.creation_timestamp or ""
