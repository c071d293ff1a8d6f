"""An EvaluationRun as it is stored, which may be of another release."""

from __future__ import annotations

from pydantic import ValidationError

from modelward.api.evaluationrun import EvaluationRun
from modelward.kube.kinds import EVALUATION_RUN, Object
from modelward.operator.cache.models import read
from modelward.operator.endpoint.status_writer import StatusWriter
from modelward.reasons.run import RunReason
from modelward.status.unreadable import unreadable


async def read_run(raw: Object | None, status: StatusWriter, now_ms: int) -> EvaluationRun | None:
    """Return the run, None where it is gone or cannot be read; one that has not ended then says so in its status."""
    if raw is None:
        return None
    try:
        return read(EvaluationRun, raw)
    except ValidationError as error:
        if not raw.get("status", {}).get("result"):
            state = unreadable("Complete", RunReason.INVALID_SPEC, error, "nothing of the run is done")
            await status.refuse(EVALUATION_RUN, raw, (state,), None, now_ms)
        return None
