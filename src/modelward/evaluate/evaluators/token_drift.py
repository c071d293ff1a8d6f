"""Did the words of questions or answers change?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from modelward.evaluate.anonymity import (
    ExchangeText,
    clear,
    conversations_with,
    may_be_shown,
    shown_words,
    words_in,
)
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.change import ChangeConfig, Compared, TextName, WindowChange, changes, counted, moved
from modelward.evaluate.conversations import by_sample
from modelward.evaluate.manifest import Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.statistics.distances import jensen_shannon
from modelward.evaluate.statistics.effect import effect
from modelward.evaluate.statistics.permutation import ConversationSums, halved_p_value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VOCABULARY = 300
"""Words that are told apart, those of most conversations; all others are one."""
SHOWN = 5


class TokenDriftConfig(ChangeConfig):
    """Whose words."""

    of: TextName = "Answers"


async def compare(config: TokenDriftConfig, pair: Compared, _: ScoringPort) -> WindowChange | None:
    """Compare word frequencies by the Jensen-Shannon distance; the vocabulary comes from both samples together."""
    window, reference = pair.texts(config.of, words_in)
    if not window or not reference:
        return None
    vocabulary = _vocabulary([*window, *reference])
    ours, theirs = _frequencies([*window, *reference], len(window), vocabulary)
    return WindowChange(
        statistic=float(jensen_shannon(ours.mean[None], theirs.mean[None])[0]),
        p_value=halved_p_value(ours, theirs, jensen_shannon, pair.seed),
        effect=effect(ours, theirs, jensen_shannon, pair.seed),
        moved=moved(_labels(vocabulary, window, reference, ours.mean - theirs.mean), ours, theirs),
    )


def _vocabulary(rows: Sequence[ExchangeText]) -> list[str]:
    ordered = sorted(conversations_with(rows).items(), key=lambda row: (-row[1], row[0]))
    return [word for word, _ in ordered[:VOCABULARY]]


def _frequencies(
    rows: Sequence[ExchangeText], size: int, vocabulary: Sequence[str]
) -> tuple[ConversationSums, ConversationSums]:
    """Return the frequencies of the first `size` texts, and of the others."""
    import numpy as np

    place = {word: number for number, word in enumerate(vocabulary)}
    shares, sizes = np.zeros((len(rows), len(vocabulary) + 1)), np.zeros(len(rows))
    for number, (exchange, text) in enumerate(rows):
        words = words_in(text)
        for word in words:
            shares[number, place.get(word, len(vocabulary))] += 1 / len(words)
        sizes[number] = len(words) / exchange.inclusion
    return by_sample(shares, sizes, [one for one, _ in rows], size)


def _labels(
    vocabulary: Sequence[str],
    window: Sequence[ExchangeText],
    reference: Sequence[ExchangeText],
    change: NDArray[np.float64],
) -> list[str]:
    """Return the words that moved most among those that may be shown, and nothing for all others."""
    shown = set()
    for rows in (window, reference):
        if may_be_shown([one for one, _ in rows]):
            shown |= set(shown_words(rows))
    texts = [text for _, text in (*window, *reference)]
    order = sorted(range(len(vocabulary)), key=lambda number: (-abs(float(change[number])), number))
    named: set[str] = set()
    for word in (vocabulary[number] for number in order if vocabulary[number] in shown):
        if len(named) == SHOWN:
            break
        if clear(word, texts):
            named.add(word)
    return [word if word in named else "" for word in (*vocabulary, "")]


MANIFEST = Manifest(
    name="TokenDrift",
    version="1.0.0",
    summary="How far the words of answers, or of questions, moved from their reference (Jensen-Shannon distance).",
    direction="LowerIsBetter",
    needs_text=True,
    subject="response",
    cost="Cheap",
    languages=("any that puts spaces between words",),
    licence="Apache-2.0",
    labels=(),
    config=TokenDriftConfig,
    unit="Window",
    requires=(),
    answers=("Change",),
    blind_to=(
        "The same meaning in other words is a change, another meaning in the same words is none.",
        "Words beyond the 300 most frequent ones are one word.",
        "A change that is slower than the reference ages is not seen.",
    ),
)
EVALUATORS = (BuiltinEvaluator(MANIFEST, counted, test=partial(changes, compare)),)
