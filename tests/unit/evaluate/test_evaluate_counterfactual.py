"""A pair of prompts differs in the group and in nothing else, and what its answers differ by is told with its odds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from plain_port import PlainPort

from modelward.api.exchange import Exchange, Message
from modelward.evaluate.counterfactual.comparison import FEWEST, PairDifference, compared
from modelward.evaluate.counterfactual.groups import SHIPPED, TermGroup, TermSet, faults_of
from modelward.evaluate.counterfactual.pairs import MAX_PROMPT_CHARS, Pair, pairs_of
from modelward.evaluate.counterfactual.scores import AnsweredPair, differences
from modelward.evaluate.counterfactual.swapping import counterfactual, standing, swapped
from modelward.evaluate.port import ScoringReply, ScoringRequest

BY_NAME = {group.name: group for group in SHIPPED}
GENDER, RELIGION = BY_NAME["gender"], BY_NAME["religion"]
FILLERS = ["the card", "says, that", "Bahnhof", "4 cards.", "(urgent)", "他的卡", "\n\n-", "wifely theme", "non-male"]
groups = st.sampled_from(SHIPPED)


@st.composite
def named(draw: st.DrawFn) -> tuple[TermGroup, int, int, list[int], list[str]]:
    """A group, two of its sets, places of terms, and what stands between them."""
    group = draw(groups)
    since, to = draw(st.permutations(range(len(group.sets))))[:2]
    terms = draw(st.lists(st.integers(0, len(group.sets[0].terms) - 1), min_size=1, max_size=6))
    between = draw(st.lists(st.sampled_from(FILLERS), min_size=len(terms) + 1, max_size=len(terms) + 1))
    return group, since, to, terms, between


def text_of(group: TermGroup, of_set: int, terms: Sequence[int], between: Sequence[str], style: str) -> str:
    words = [group.sets[of_set].terms[place] for place in terms]
    if style != "as written":
        change = str.upper if style == "upper" else lambda one: one[:1].upper() + one[1:]
        words = [change(one) if one == one.lower() else one for one in words]
    return " ".join(part for pair in zip(between, [*words, ""], strict=True) for part in pair)


@given(named(), st.sampled_from(["as written", "title", "upper"]))
def test_terms_are_swapped_and_nothing_else(case: tuple[TermGroup, int, int, list[int], list[str]], style: str) -> None:
    group, since, to, terms, between = case
    text, expected = (text_of(group, one, terms, between, style) for one in (since, to))
    assert standing(text, group) == since
    assert counterfactual(text, group, to) == expected


@given(groups, st.text(max_size=60), st.data())
def test_swapping_twice_gives_the_original(group: TermGroup, noise: str, data: st.DataObject) -> None:
    words = [term for one in group.sets for term in one.terms]
    parts = data.draw(st.lists(st.sampled_from([*words, noise, " ", "-", "'s ", ". "]), max_size=8))
    text = "".join(parts)
    for to in range(len(group.sets)):
        other = counterfactual(text, group, to)
        since = standing(text, group)
        if other is not None and since is not None:
            assert other != text
            assert standing(other, group) == to
            assert counterfactual(other, group, since) == text


@pytest.mark.parametrize(
    ("group", "text"),
    [
        ("gender", "My husband and my wife share a card."),
        ("gender", "My husband lost his card."),
        ("gender", "HER husband"),
        ("gender", "A he-man, a mannequin and a theme."),
        ("religion", "the christian name"),
        ("nationality", "It was made in Germanyland."),
        ("age", "I am 125 years old."),
        ("gender", ""),
    ],
)
def test_what_cannot_be_swapped_soundly_is_left_out(group: str, text: str) -> None:
    for to in range(len(BY_NAME[group].sets)):
        assert counterfactual(text, BY_NAME[group], to) is None


def test_a_swap_that_makes_another_term_is_no_swap() -> None:
    odd = TermGroup("odd", (TermSet("a", ("red", "green car")), TermSet("b", ("blue", "big red car"))))
    assert swapped("big red car", odd, 0) == "green car"
    assert counterfactual("red card", odd, 1) == "blue card"
    assert counterfactual("big red", odd, 1) == "big blue"
    other = TermGroup("other", (TermSet("a", ("red", "tall")), TermSet("b", ("blue", "blue car"))))
    assert counterfactual("red car", other, 1) is None, "it would read as another term of the set"


def test_the_shipped_groups_are_sound() -> None:
    assert faults_of(SHIPPED) == []
    assert [one.name for one in SHIPPED] == ["gender", "names", "religion", "nationality", "age", "disability"]


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ([("a", ("man",))], "two sets at least"),
        ([("a", ("man", "boy")), ("b", ("woman",))], "as many terms as each other"),
        ([("a", ()), ("b", ())], "as many terms as each other"),
        ([("a", ("man",)), ("b", ("Man",))], "man is there twice"),
        ([("a", ("x",)), ("b", ("he",))], "is no term"),
        ([("Any One", ("man",)), ("b", ("woman",))], "'Any One' is no name"),
        ([("a", ("uncle",)), ("b", ("father",))], "uncle and father cannot both stand after a"),
    ],
)
def test_a_group_that_is_not_sound_says_why(sets: list[tuple[str, tuple[str, ...]]], said: str) -> None:
    group = TermGroup("own", tuple(TermSet(*one) for one in sets))
    assert any(said in fault for fault in faults_of((group,)))
    assert faults_of((GENDER, GENDER)) == ["gender is there twice"]


def exchange(number: int, text: str, **changes: object) -> Exchange:
    plain = Exchange(
        f"e{number}", number, "retail/bot", "m", "r1", "chat", 200, "ok", "Redacted",
        (Message("system", "Be kind to each man."), Message("user", text)), "Yes.", conversation=f"c{number}",
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


TEXTS = ["My husband lost a card.", "Is a Muslim served too?", "Where is my card?", "She asks for a loan."]
TRAFFIC = [exchange(number, f"{TEXTS[number % 4]} {number}") for number in range(120)]


def test_pairs_hold_the_own_prompt_and_the_same_about_others() -> None:
    found = pairs_of(TRAFFIC, SHIPPED, 20)
    assert len(found) == 20
    assert {pair.group.name for pair in found} == {"gender", "religion"}
    assert sum(pair.group is RELIGION for pair in found) == 10, "groups take turns"
    own = {one.id: one.messages for one in TRAFFIC}
    for pair in found:
        assert pair.sets[0] < pair.sets[1]
        assert own[pair.exchange] in pair.prompts
        assert [standing(prompt[1].text, pair.group) for prompt in pair.prompts] == list(pair.sets)
        assert {prompt[0].text for prompt in pair.prompts} == {"Be kind to each man."}, "the system stays"
    assert len({pair.sets for pair in found if pair.group is RELIGION}) > 1, "and the other set is not always one"


@given(st.permutations(TRAFFIC[:40]), st.integers(0, 40))
def test_the_exchanges_alone_decide_the_pairs(rows: list[Exchange], most: int) -> None:
    found = pairs_of(rows, SHIPPED, most)
    assert found == pairs_of(TRAFFIC[:40], SHIPPED, most)
    assert len(found) == min(most, 30)


def test_one_prompt_of_a_conversation_is_asked() -> None:
    same = [exchange(number, f"{TEXTS[number % 2]} {number}", conversation="one") for number in range(30)]
    turns = (Message("user", "Hello."), Message("assistant", "Hello."), Message("user", "My wife lost a card."))
    assert len(pairs_of([replace(one, messages=turns) for one in same], SHIPPED, 20)) == 1


def test_earlier_turns_are_swapped_too() -> None:
    turns = (Message("user", "I am writing as a father."), Message("assistant", "Yes, sir."), Message("user", "And?"))
    (pair,) = pairs_of([exchange(1, "", messages=turns)], [GENDER], 5)
    assert [one.text for one in pair.prompts[1]] == ["I am writing as a mother.", "Yes, madam.", "And?"]


@pytest.mark.parametrize(
    "changes",
    [
        {"truncated": True},
        {"messages": ()},
        {"messages": (Message("user", "My husband."), Message("assistant", "Yes?"))},
        {"messages": (Message("user", "My husband."), Message("tool", "{}"), Message("user", "And?"))},
        {"messages": (Message("user", ""), Message("assistant", "Yes?"), Message("user", "My husband."))},
        {"messages": (Message("user", "My husband." + "x" * MAX_PROMPT_CHARS),)},
        {"messages": (Message("user", "My husband.\n\x00\n"),)},
    ],
)
def test_what_cannot_be_asked_again_as_it_was_is_left_out(changes: dict[str, object]) -> None:
    assert pairs_of([exchange(1, "", **changes)], SHIPPED, 5) == ()


def rows_of(
    group: TermGroup, by: Sequence[tuple[tuple[int, int], float]], measure: str = "refusal"
) -> list[PairDifference]:
    zero = {"sentiment": 0.0, "refusal": 0.0, "length": 0.0}
    return [
        PairDifference(Pair(f"e{number}", group, sets, ((), ())), {**zero, measure: value})  # type: ignore[dict-item]
        for number, (sets, value) in enumerate(by)
    ]


def test_a_group_that_is_refused_more_is_found_and_named() -> None:
    found = compared(rows_of(GENDER, [((0, 1), -1.0)] * 17 + [((0, 1), 0.0)] * 3), 1)
    assert found is not None
    assert found.p_value == pytest.approx(3 * 2 / 2**17)
    assert (found.effect.value, found.statistic) == (0.85, 0.85)
    assert 0.2 < found.effect.low < 0.85 < found.effect.high <= 1
    assert [(one.label, one.change) for one in found.moved] == [("gender.men.refusal", -0.85)]


def test_one_set_of_several_is_found() -> None:
    pairs = [((first, second), 1.0 if first == 0 else 0.0) for first in range(4) for second in range(first + 1, 4)] * 4
    found = compared(rows_of(RELIGION, pairs, "sentiment"), 1)
    assert found is not None
    assert found.p_value < 0.01
    assert [(one.label, one.change) for one in found.moved] == [("religion.christian.sentiment", 0.5)]


def test_answers_that_do_not_differ_are_no_change_with_a_bound() -> None:
    found = compared(rows_of(GENDER, [((0, 1), 0.0)] * 40) + rows_of(RELIGION, [((0, 1), 0.0)] * 40), 1)
    assert found is not None
    assert (found.p_value, found.effect.value, found.effect.low, found.moved) == (1.0, 0.0, 0.0, ())
    assert found.effect.high < 0.5


def test_answers_that_differ_both_ways_are_no_change() -> None:
    found = compared(rows_of(GENDER, [((0, 1), 1.0), ((0, 1), -1.0)] * 8), 1)
    assert found is not None
    assert (found.p_value, found.moved) == (1.0, ())


def test_too_few_pairs_tell_nothing() -> None:
    assert compared(rows_of(GENDER, [((0, 1), 1.0)] * (FEWEST - 1)), 1) is None
    assert compared([], 1) is None


class Embedder(PlainPort):
    """Vectors by the text alone."""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [np.random.default_rng(list(hashlib.sha256(text.encode()).digest())).normal(size=384) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(len(texts), 384)

    async def post(self, request: ScoringRequest) -> ScoringReply:
        raise NotImplementedError


async def test_answers_are_told_apart_by_refusal_and_length_and_the_same_ones_by_nothing() -> None:
    pair = Pair("e1", GENDER, (0, 1), ((), ()))
    answers = [("Of course, here it is.", "Of course, here it is."), ("x" * 30, "x" * 10), ("", "Yes."),
               ("I cannot help with that.", "Here it is.")]  # fmt: skip
    same, shorter, empty, refused = await differences([AnsweredPair(pair, one) for one in answers], Embedder())
    assert set(same.by.values()) == {0.0}
    assert shorter.by["length"] == pytest.approx(2 / 3)
    assert empty.by["length"] == -1.0
    assert refused.by["refusal"] == 1.0
    assert await differences([], Embedder()) == []
