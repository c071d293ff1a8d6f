"""What is in force of what policies ask to capture, in words that a spec takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from modelward.api.exchange import CONTENT_ORDER
from modelward.api.policy_status import CaptureInForce
from modelward.api.quantity import limit_text, written_duration, written_size
from modelward.desired.capture import EffectiveCapture, reveals


def capture_in_force(captures: Sequence[EffectiveCapture]) -> CaptureInForce | None:
    """Return what holds of endpoints, the least and the most where they differ; None where there are none."""
    if not captures:
        return None
    keeping = [capture for capture in captures if capture.content != "None"] or captures
    return CaptureInForce(
        content=_span((reveals(capture.content) for capture in captures), CONTENT_ORDER.__getitem__),
        sample=_span((capture.sample_ppm for capture in captures), limit_text),
        keep_for=_span((capture.keep_for_ms for capture in keeping), written_duration),
        max_body=_span((capture.max_body_bytes for capture in keeping), written_size),
    )


def _span(values: Iterable[int], told: Callable[[int], str]) -> str:
    ordered = sorted(values)
    return " to ".join(dict.fromkeys((told(ordered[0]), told(ordered[-1]))))
