"""Exchanges of one conversation are no independent samples."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult, result_from_json, result_to_json
from modelward.api.exchange import Exchange, Message
from modelward.evaluate.interval import effective_size
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import counts
from modelward.evaluate.statistics.conversations import conversation_size, independent_size


def row(place: int, conversation: str, *, flagged: bool, inclusion: float = 1.0) -> tuple[Exchange, Score]:
    exchange = Exchange(
        id=str(place), time_ms=place, endpoint="ns/chat", model="m", revision="r", operation="chat", status=200,
        outcome="ok", content="Redacted", conversation=conversation, inclusion=inclusion,
    )  # fmt: skip
    return exchange, Score(str(place), "Scored", flagged)


rows = st.lists(
    st.tuples(st.sampled_from(["", "a", "b", "c", "d", "e"]), st.booleans(), st.sampled_from([1.0, 0.5, 0.1])),
    max_size=60,
).map(lambda found: [row(i, name, flagged=flagged, inclusion=p) for i, (name, flagged, p) in enumerate(found)])


@given(rows)
def test_conversations_never_make_a_sample_larger(found: list[tuple[Exchange, Score]]) -> None:
    summed = counts(found)
    kish = effective_size(summed.weight, summed.weight_squared)
    assert 0 <= independent_size(summed) <= kish
    assert conversation_size(summed) <= kish


@given(st.integers(1, 300), st.integers(0, 300))
def test_single_exchanges_are_samples_each(samples: int, flagged: int) -> None:
    summed = counts([row(i, "", flagged=i < flagged) for i in range(samples)])
    assert independent_size(summed) == pytest.approx(samples)
    assert conversation_size(summed) == pytest.approx(samples)


def test_turns_that_are_all_alike_are_one_sample_for_each_conversation() -> None:
    alike = counts([row(10 * c + turn, str(c), flagged=c < 6) for c in range(30) for turn in range(10)])
    assert independent_size(alike) == pytest.approx(30, rel=0.01)
    apart = counts([row(10 * c + turn, str(c), flagged=turn < 2) for c in range(300) for turn in range(10)])
    assert independent_size(apart) > 2_000


def spoken(place: int, conversation: str, *turns: str) -> tuple[Exchange, Score]:
    """An exchange that sends these turns, of the user and the model in turns."""
    exchange, score = row(place, conversation, flagged=False)
    sent = tuple(Message(("user", "assistant")[i % 2], text) for i, text in enumerate(turns))
    return replace(exchange, messages=sent), score


def test_callers_who_begin_with_the_same_words_are_samples_each() -> None:
    faq = counts([spoken(i, "key of an opening", "Where is my card?") for i in range(60)])
    assert independent_size(faq) == pytest.approx(60, rel=0.01)


def test_turns_sent_alone_under_a_name_are_of_one_conversation() -> None:
    alone = counts([spoken(i, f"thread {i % 6}", f"question {i}") for i in range(60)])
    assert independent_size(alone) < 10


def test_later_turns_under_one_key_are_of_one_conversation() -> None:
    later = counts([spoken(i, "key", "Hello", "Hello!", f"question {i}") for i in range(60)])
    assert independent_size(later) < 2


def test_without_a_flag_each_conversation_is_about_one_sample() -> None:
    clean = counts([row(10 * c + turn, str(c), flagged=False) for c in range(50) for turn in range(10)])
    assert 45 <= independent_size(clean) <= 55


@given(rows, st.lists(st.integers(0, 3), min_size=60, max_size=60), st.permutations(range(4)))
def test_windows_merge_in_any_order(found: list[tuple[Exchange, Score]], part: list[int], order: list[int]) -> None:
    windows = [counts([one for one, at in zip(found, part, strict=False) if at == i]) for i in range(4)]
    a, b, c, d = (windows[i] for i in order)
    merged, other = sum(windows, Counts()), (a + (b + c)) + d
    assert _sums(merged) == pytest.approx(_sums(other))
    assert merged.causes == other.causes
    assert independent_size(merged) == pytest.approx(independent_size(other))


def _sums(counts: Counts) -> dict[str, float]:
    return {name: value for name, value in asdict(counts).items() if name not in ("histogram", "causes")}


def test_results_of_earlier_versions_are_read_as_single_exchanges() -> None:
    key = ("ns", "chat", "p", "e", 1, 2, "run", EvaluatorFacts("E", "1"))
    new = result_to_json(WindowResult(*key, {"r": counts([row(i, "", flagged=i < 5) for i in range(50)])}))
    old = {**new, "revisions": {"r": {k: v for k, v in new["revisions"]["r"].items() if "conversation" not in k}}}
    assert independent_size(result_from_json(old).revisions["r"]) == pytest.approx(50)
    assert result_from_json(old).revisions["r"] == result_from_json(new).revisions["r"]
