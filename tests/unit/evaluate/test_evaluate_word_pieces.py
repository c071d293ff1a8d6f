"""Word pieces: the same words give the same buckets, and a long text costs no more than a short one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelward.evaluate.word_pieces import BUCKETS, MAX_CHARS, buckets


@given(st.text(max_size=300))
def test_buckets_are_distinct_ordered_and_within_range(text: str) -> None:
    found = buckets(text)
    assert found == sorted(set(found))
    assert all(0 <= bucket < BUCKETS for bucket in found)


@given(st.text(alphabet="abc .,\n", max_size=100))
def test_case_and_spacing_make_no_difference(text: str) -> None:
    assert buckets(text.upper()) == buckets(f"  {text}\n") == buckets(text.replace(" ", "   "))


def test_these_buckets_are_those_that_shipped_heads_were_trained_on() -> None:
    assert buckets("Hi you") == [476, 1210, 1264, 2297, 2719, 3380, 3814, 3840]


def test_another_order_of_words_has_other_pairs() -> None:
    assert buckets("dog bites man") != buckets("man bites dog")


def test_what_follows_the_limit_is_not_read() -> None:
    start = "tea and cake " * (MAX_CHARS // 13 + 1)
    assert buckets(start[:MAX_CHARS] + "zebra" * 100_000) == buckets(start[:MAX_CHARS])


def test_nothing_has_no_words() -> None:
    assert buckets("") == buckets(" \n") == []
