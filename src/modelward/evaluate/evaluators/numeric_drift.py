"""Did a number of the exchanges move: their lengths, tokens or latencies?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.change import ChangeConfig, Compared, WindowChange, changes, counted, moved
from modelward.evaluate.conversations import by_sample
from modelward.evaluate.manifest import Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.statistics.distances import BY_NAME, DistanceName, total_variation
from modelward.evaluate.statistics.effect import effect
from modelward.evaluate.statistics.permutation import halved_p_value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINS = 10
NumberName = Literal[
    "Duration", "TimeToFirstToken", "TimePerOutputToken", "InputTokens", "OutputTokens", "QuestionChars", "AnswerChars"
]
_NUMBERS: Mapping[NumberName, tuple[str, Callable[[Exchange], float | None]]] = {
    "Duration": ("ms", lambda one: one.timings.duration_ms),
    "TimeToFirstToken": ("ms", lambda one: one.timings.first_token_ms),
    "TimePerOutputToken": ("ms", lambda one: one.timings.per_output_token_ms),
    "InputTokens": ("", lambda one: one.usage.input_tokens),
    "OutputTokens": ("", lambda one: one.usage.output_tokens),
    "QuestionChars": ("", lambda one: len(one.question) if one.question else None),
    "AnswerChars": ("", lambda one: len(one.response) if one.response else None),
}


class NumericDriftConfig(ChangeConfig):
    """Which number, and the distance that is tested; the effect is the total variation distance whatever is tested."""

    number: NumberName
    distance: DistanceName = "TVD"


async def compare(config: NumericDriftConfig, pair: Compared, _: ScoringPort) -> WindowChange | None:
    """Compare ten bins of equal mass; their bounds come from both samples together, or the test would not hold."""
    import numpy as np

    unit, number = _NUMBERS[config.number]
    window, reference = ([(one, value) for one in rows if (value := number(one)) is not None]
                         for rows in (pair.window, pair.reference))  # fmt: skip
    if not window or not reference:
        return None
    rows = [*window, *reference]
    values = np.array([value for _, value in rows], np.float64)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1], method="higher"))
    ours, theirs = by_sample(
        np.eye(len(edges) + 1)[np.searchsorted(edges, values, side="right")],
        np.array([1.0 / one.inclusion for one, _ in rows]),
        [one for one, _ in rows],
        len(window),
    )
    distance = BY_NAME[config.distance]
    return WindowChange(
        statistic=float(distance(ours.mean[None], theirs.mean[None])[0]),
        p_value=halved_p_value(ours, theirs, distance, pair.seed),
        effect=effect(ours, theirs, total_variation, pair.seed),
        moved=moved(_labels(edges, unit), ours, theirs),
    )


def _labels(edges: NDArray[np.float64], unit: str) -> Sequence[str]:
    if not len(edges):
        return ["all"]
    texts = [f"{edge:.4g}" for edge in edges]
    between = [f"{low}-{high}{unit}" for low, high in pairwise(texts)]
    return [f"below-{texts[0]}{unit}", *between, f"from-{texts[-1]}{unit}"]


MANIFEST = Manifest(
    name="NumericDrift",
    version="1.0.0",
    summary="Share of exchanges by which a length, a token count or a latency moved from its reference.",
    direction="LowerIsBetter",
    needs_text=False,
    subject="exchange",
    cost="Free",
    languages=("any",),
    licence="Apache-2.0",
    labels=(),
    config=NumericDriftConfig,
    unit="Window",
    answers=("Change",),
    blind_to=(
        "A change that comes and goes with the time of day is a change: compare with a baseline of whole days.",
        "A change that is slower than the reference ages is not seen.",
        "Numbers that the exchanges do not carry are left out: tokens without `usage`, chars without text.",
    ),
)
EVALUATORS = (BuiltinEvaluator(MANIFEST, counted, test=partial(changes, compare)),)
