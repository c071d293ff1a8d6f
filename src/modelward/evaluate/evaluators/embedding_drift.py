"""Did the meaning of questions or answers change?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from modelward.evaluate.anonymity import ExchangeText
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.change import ChangeConfig, Compared, TextName, WindowChange, changes, counted, moved
from modelward.evaluate.conversations import by_sample
from modelward.evaluate.manifest import MINILM_SHA256, Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.statistics.distances import euclidean, total_variation
from modelward.evaluate.statistics.effect import effect
from modelward.evaluate.statistics.permutation import ConversationSums, halved_p_value
from modelward.evaluate.topics import named, topics, weights_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOPICS = 10
COMPONENTS = 64


class EmbeddingDriftConfig(ChangeConfig):
    """Whose meaning."""

    of: TextName = "Questions"


async def compare(config: EmbeddingDriftConfig, pair: Compared, port: ScoringPort) -> WindowChange | None:
    """Test the distance of the mean embeddings; the effect is the share of texts that moved to other topics."""
    window, reference = pair.texts(config.of, str.strip)
    if not window or not reference:
        return None
    found = await topics(window, reference, TOPICS, port)
    ours, theirs = _means(found.vectors, [*window, *reference], len(window))
    labels = named(found, [*window, *reference])
    return WindowChange(
        statistic=float(euclidean(ours.mean[None], theirs.mean[None])[0]),
        p_value=halved_p_value(ours, theirs, euclidean, pair.seed),
        effect=effect(found.window, found.reference, total_variation, pair.seed),
        moved=moved(labels, found.window, found.reference),
    )


def _means(
    vectors: NDArray[np.float64], rows: Sequence[ExchangeText], size: int
) -> tuple[ConversationSums, ConversationSums]:
    """Return both samples in the directions in which they vary most together, which no permutation changes."""
    import numpy as np

    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return by_sample(centred @ axes[:, -COMPONENTS:], weights_of(rows), [one for one, _ in rows], size)


MANIFEST = Manifest(
    name="EmbeddingDrift",
    version="1.0.0",
    summary="Share of questions, or of answers, by which topics moved from their reference.",
    direction="LowerIsBetter",
    needs_text=True,
    subject="prompt",
    cost="Model",
    languages=("en",),
    licence="Apache-2.0 (all-MiniLM-L6-v2)",
    labels=(),
    config=EmbeddingDriftConfig,
    unit="Window",
    requires=(),
    answers=("Change",),
    model_sha256=MINILM_SHA256,
    blind_to=(
        "Fewer than about one text in ten on another subject is not seen in 200 texts.",
        "The end of a long text: the model reads its first 256 tokens.",
        "A change that is slower than the reference ages is not seen.",
    ),
)
EVALUATORS = (BuiltinEvaluator(MANIFEST, counted, test=partial(changes, compare)),)
