"""Does an endpoint answer otherwise when the same question is about other people?

It asks the endpoint itself: each of its users' prompts that names a group, and the same about another one. Never are
answers to different prompts compared: they may rightly differ.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from modelward.api.exchange import Exchange, Message, ended_ms
from modelward.api.window_answer import WindowTest
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.counterfactual.comparison import compared
from modelward.evaluate.counterfactual.groups import SHIPPED, TermGroup, TermSet, faults_of
from modelward.evaluate.counterfactual.pairs import Pair, pairs_of
from modelward.evaluate.counterfactual.scores import AnsweredPair, differences
from modelward.evaluate.heads import licence_of
from modelward.evaluate.judge.reply import decoded
from modelward.evaluate.manifest import MINILM_SHA256, EvaluatorConfig, Manifest
from modelward.evaluate.past import PastTraffic
from modelward.evaluate.port import PortError, ProbingPort, ScoringPort, UnansweredError
from modelward.evaluate.score import Score
from modelward.evaluate.statistics.permutation import seed_of

AT_ONCE = 2
MOST_FAILED = 0.1
"""Share of pairs without two answers from which the evaluator has failed."""
GroupName = Literal["gender", "names", "religion", "nationality", "age", "disability"]
ListedTerm = Annotated[str, StringConstraints(min_length=2, max_length=64)]
ListedTerms = Annotated[tuple[ListedTerm, ...], Field(max_length=200)]


class CounterfactualBiasConfig(EvaluatorConfig):
    """Which groups are compared, and what that may cost; `own_groups` are sets of terms by group and set."""

    groups: tuple[GroupName, ...] = ("gender", "names", "religion", "nationality", "age", "disability")
    own_groups: Mapping[str, Mapping[str, ListedTerms]] = Field(default_factory=dict, alias="ownGroups")
    pairs: int = Field(default=20, ge=6, le=200)
    max_tokens: int = Field(default=128, alias="maxTokens", ge=16, le=1_024)

    @model_validator(mode="after")
    def _sound(self) -> CounterfactualBiasConfig:
        if faults := faults_of(self.term_groups):
            raise ValueError(faults[0])
        if not self.term_groups:
            raise ValueError("name one group at least")
        return self

    @property
    def term_groups(self) -> tuple[TermGroup, ...]:
        """The groups that are compared, those of one's own last."""
        own = (
            TermGroup(name, tuple(TermSet(one, tuple(terms)) for one, terms in sets.items()))
            for name, sets in self.own_groups.items()
        )
        return (*(group for group in SHIPPED if group.name in self.groups), *own)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why a prompt has no answer, in a word."""

    word: str


async def counted(_: CounterfactualBiasConfig, exchanges: Sequence[Exchange], __: ScoringPort) -> list[Score]:
    """Say of each exchange only that it is part of its window."""
    return [Score(one.id, "Scored", label="none") for one in exchanges]


async def probed(
    config: CounterfactualBiasConfig, exchanges: Sequence[Exchange], _: PastTraffic, port: ScoringPort
) -> tuple[WindowTest, ...]:
    """Return one test, of the revision that served last, because that is what answers now. Raises PortError."""
    if not exchanges:
        return ()
    pairs = pairs_of(exchanges, config.term_groups, config.pairs)
    answered = await _answers(config, exchanges, pairs, port)
    found = compared(await differences(answered, port), seed_of(one.exchange for one in pairs))
    times = [ended_ms(one.time_ms, one.timings.duration_ms) for one in exchanges]
    newest = max(exchanges, key=lambda one: (one.time_ms, one.id))
    size = len(answered)
    test = WindowTest(newest.revision, size, size, size, min(times), max(times) + 1)
    if found is None:
        return (test,)
    value, low, high = (round(one, 6) for one in (found.effect.value, found.effect.low, found.effect.high))
    told = WindowTest(
        newest.revision, size, size, size, min(times), max(times) + 1,
        round(found.statistic, 6), found.p_value, value, low, high, found.moved,
    )  # fmt: skip
    return (told,)


async def _answers(
    config: CounterfactualBiasConfig, exchanges: Sequence[Exchange], pairs: Sequence[Pair], port: ScoringPort
) -> list[AnsweredPair]:
    if not pairs:
        return []
    if not isinstance(port, ProbingPort):
        raise PortError("nothing here may ask the endpoint", unsent=True)
    models = {one.id: one.model for one in exchanges}
    asked = [(pair, prompt) for pair in pairs for prompt in pair.prompts]
    works = [partial(_answer, config, prompt, models[pair.exchange], port) for pair, prompt in asked]
    texts = await port.each(works, AT_ONCE)
    found = [
        AnsweredPair(pair, (first, second))
        for pair, first, second in zip(pairs, texts[::2], texts[1::2], strict=True)
        if not isinstance(first, NoAnswer) and not isinstance(second, NoAnswer)
    ]
    failed = len(pairs) - len(found)
    if failed > MOST_FAILED * len(pairs):
        causes = Counter(one.word for one in texts if isinstance(one, NoAnswer))
        raise UnansweredError(failed, len(found), causes.most_common(1)[0][0])
    return found


async def _answer(
    config: CounterfactualBiasConfig, prompt: Sequence[Message], model: str, port: ProbingPort
) -> str | NoAnswer:
    """Return what the endpoint answers, or why there is none: it refuses the request, or says nothing that is text."""
    body = {
        **({"model": model} if model else {}),
        "messages": [{"role": one.role, "content": one.text} for one in prompt],
        "temperature": 0,
        "max_tokens": config.max_tokens,
    }
    reply = await port.probe(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
    if reply.status != 200:
        return NoAnswer(f"HTTP{reply.status}")
    found = decoded(reply.body)
    return found.text if found else NoAnswer("unreadable")


MANIFEST = Manifest(
    name="CounterfactualBias",
    version="1.1.0",
    summary="How far answers differ when the same question is about another group of people, asked of the endpoint.",
    direction="LowerIsBetter",
    needs_text=True,
    subject="response",
    cost="Model",
    languages=("en",),
    licence=licence_of(["sentiment"]),
    labels=(),
    config=CounterfactualBiasConfig,
    unit="Window",
    requires=("question",),
    answers=("Change",),
    probes=True,
    blind_to=(
        "groups that no prompt of the window names: what a name or a dialect only hints at is not swapped",
        "a difference that is right, as in medicine or law: a person decides that",
        "what sentiment, refusal and length do not show: other facts, other advice, another price",
        "prompts that name two groups, hold a pronoun with two counterparts, tools or images, or were cut",
        "an endpoint whose answers differ by chance alone at temperature 0 has more noise, and not more bias",
    ),
    model_sha256=MINILM_SHA256,
)
EVALUATORS = (BuiltinEvaluator(MANIFEST, counted, test=probed),)
