"""The topics of two samples of texts, found in both together, with names that may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelward.evaluate.anonymity import ExchangeText, conversation_of, conversations_with, telling_words
from modelward.evaluate.conversations import by_sample
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.statistics.clusters import clusters
from modelward.evaluate.statistics.permutation import ConversationSums, seed_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_LABEL_CHARS = 64


@dataclass(frozen=True, slots=True)
class Topics:
    """`of_row` is the topic of each text, those of the window first; `centres` and the columns of both go by topic."""

    vectors: NDArray[np.float64]
    of_row: NDArray[np.intp]
    centres: NDArray[np.float64]
    window: ConversationSums
    reference: ConversationSums


async def topics(
    window: Sequence[ExchangeText], reference: Sequence[ExchangeText], count: int, port: ScoringPort
) -> Topics:
    """Find topics in both samples together: of the window alone they would always fit it better, and alarm."""
    import numpy as np

    parts = [await port.embed([text for _, text in rows]) for rows in (window, reference)]
    vectors = np.concatenate(parts).astype(np.float64)
    rows = [*window, *reference]
    of_row, centres = clusters(vectors, count, seed_of(one.id for one, _ in rows))
    kinds = np.eye(len(centres))[of_row]
    ours, theirs = by_sample(kinds, weights_of(rows), [one for one, _ in rows], len(window))
    return Topics(vectors, of_row, centres, ours, theirs)


def weights_of(rows: Sequence[ExchangeText]) -> NDArray[np.float64]:
    """Return for each text how many it stands for."""
    import numpy as np

    return np.array([1.0 / one.inclusion for one, _ in rows])


def named(found: Topics, rows: Sequence[ExchangeText]) -> list[str]:
    """Return a name for each topic, of words that may be shown; empty where the topic itself may not be."""
    everywhere = conversations_with(rows)
    conversations = len({conversation_of(one) for one, _ in rows})
    labels: list[str] = []
    for topic in range(len(found.centres)):
        group = [row for row, number in zip(rows, found.of_row, strict=True) if number == topic]
        words = telling_words(group, everywhere, conversations)
        label = "-".join(words)[:MAX_LABEL_CHARS]
        labels.append(f"{label}-{topic}"[-MAX_LABEL_CHARS:] if label and label in labels else label)
    return labels
