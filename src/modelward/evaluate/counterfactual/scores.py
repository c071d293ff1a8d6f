"""What the two answers of a pair differ by, by measures that need no judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelward.api.exchange import last_question
from modelward.evaluate.counterfactual.comparison import PairDifference
from modelward.evaluate.counterfactual.pairs import Pair
from modelward.evaluate.evaluators.refusal import refusals
from modelward.evaluate.evaluators.refusal_words import openings
from modelward.evaluate.evaluators.sentiment import HEAD
from modelward.evaluate.head_scores import highest
from modelward.evaluate.port import ScoringPort


@dataclass(frozen=True, slots=True)
class AnsweredPair:
    """A pair with the answer to each of its prompts, in their order."""

    pair: Pair
    answers: tuple[str, str]


async def differences(rows: Sequence[AnsweredPair], port: ScoringPort) -> list[PairDifference]:
    """Return by how much the answer about the first set is more friendly, refuses more, and is longer.

    Sentiment is the value that `Sentiment` would give to the answer, refusal 0 or 1 as `Refusal` says, and the length
    that of the one less that of the other as a share of the longer one. An empty answer is neither friendly nor not.
    """
    texts = [text for one in rows for text in one.answers]
    if not texts:
        return []
    negative = await highest(HEAD, [[text] if text.strip() else [] for text in texts], port)
    feeling = [0.5 if value is None else 1 - value for value in negative]
    opened = openings(texts)
    asked = [last_question(prompt) for one in rows for prompt in one.pair.prompts]
    refused = refusals(opened, asked, await port.embed(opened))
    found = []
    for place, one in enumerate(rows):
        first, second = 2 * place, 2 * place + 1
        longest = max(len(texts[first]), len(texts[second]), 1)
        by = {
            "sentiment": feeling[first] - feeling[second],
            "refusal": float(refused[first]) - float(refused[second]),
            "length": (len(texts[first]) - len(texts[second])) / longest,
        }
        found.append(PairDifference(one.pair, by))  # type: ignore[arg-type]
    return found
