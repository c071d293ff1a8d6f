"""What do people ask about, and what do they ask about more than before?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic import Field

from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.change import ChangeConfig, Compared, TextName, WindowChange, changes, counted, moved
from modelward.evaluate.manifest import MINILM_SHA256, Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.statistics.clusters import same_topics, sketch
from modelward.evaluate.statistics.effect import effect
from modelward.evaluate.statistics.permutation import halved_p_value
from modelward.evaluate.topics import named, topics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TopicClustersConfig(ChangeConfig):
    """Whose topics, and into how many they are divided; the ten that moved most are shown."""

    of: TextName = "Questions"
    topics: int = Field(default=20, ge=2, le=50)


def largest_rise(window: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much the share of the topic that rose most did, [pairs]."""
    found: NDArray[np.float64] = (window - reference).max(axis=1)
    return found


async def compare(config: TopicClustersConfig, pair: Compared, port: ScoringPort) -> WindowChange | None:
    """Test the largest rise of a topic; over all topics at once, so that many topics are no more chances to alarm."""
    window, reference = pair.texts(config.of, str.strip)
    if not window or not reference:
        return None
    found = await topics(window, reference, config.topics, port)
    sketches = [sketch(centre) for centre in found.centres]
    labels = named(found, [*window, *reference])
    return WindowChange(
        statistic=float(largest_rise(found.window.mean[None], found.reference.mean[None])[0]),
        p_value=halved_p_value(found.window, found.reference, largest_rise, pair.seed),
        effect=effect(found.window, found.reference, largest_rise, pair.seed),
        moved=moved(labels, found.window, found.reference, ids=_ids(sketches, pair), sketches=sketches, largest=5),
    )


def _ids(sketches: list[str], pair: Compared) -> list[str]:
    """Return the ids of the same topics in the last answer; a topic that is new gets one that was never given."""
    before = [one for one in pair.last.moved if one.id] if pair.last else []
    same = same_topics(sketches, [one.sketch for one in before])
    taken = {one.id for one in before}
    ids = []
    for number in range(len(sketches)):
        name = before[same[number]].id if number in same else f"t{pair.seed % 16**8:08x}-{number}"
        ids.append(name if number in same or name not in taken else f"{name}-new")
    return ids


MANIFEST = Manifest(
    name="TopicClusters",
    version="1.0.0",
    summary="The topics of questions, or of answers, with their shares, and by how much the one that rose most did.",
    direction="LowerIsBetter",
    needs_text=True,
    subject="prompt",
    cost="Model",
    languages=("en",),
    licence="Apache-2.0 (all-MiniLM-L6-v2)",
    labels=(),
    config=TopicClustersConfig,
    unit="Window",
    requires=(),
    answers=("Change",),
    severity="Info",
    model_sha256=MINILM_SHA256,
    blind_to=(
        "Topics of fewer than 20 conversations of 5 callers: they are never shown.",
        "One caller's many conversations, where callers are not named: conversations stand for callers then.",
        "Names are words that many conversations share, not a summary.",
        "A person's name that many conversations hold is a word like another.",
    ),
)
EVALUATORS = (BuiltinEvaluator(MANIFEST, counted, test=partial(changes, compare)),)
