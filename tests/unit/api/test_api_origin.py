"""A mark holds as it was signed, for as long as it says; nothing else is one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelward.api.origin import LONGEST_S, ORIGINS, Origin, origin_key, origin_of, signed_mark

NOW = 1_790_000_000
KEY, OTHER = origin_key(b"a" * 32), origin_key(b"b" * 32)


@given(st.sampled_from(ORIGINS), st.integers(1, LONGEST_S))
def test_a_mark_holds_until_it_expires_by_any_key_that_is_known(origin: Origin, seconds: int) -> None:
    mark = signed_mark(origin, NOW + seconds, KEY)
    assert origin_of(mark, (OTHER, KEY), NOW) == origin
    assert origin_of(mark, (OTHER, KEY), NOW + seconds - 0.1) == origin
    assert origin_of(mark, (OTHER, KEY), NOW + seconds) is None
    assert origin_of(mark, (OTHER,), NOW) is None
    assert origin_of(mark, (), NOW) is None


@given(st.integers(0, 60), st.characters())
def test_a_mark_of_which_one_character_differs_is_none(place: int, character: str) -> None:
    mark = signed_mark("probe", NOW + 60, KEY)
    place %= len(mark)
    changed = mark[:place] + character + mark[place + 1 :]
    assert origin_of(changed, (KEY,), NOW) == ("probe" if changed == mark else None)


@given(st.text(max_size=200) | st.from_regex(r"v1\.(probe|judge)\.[0-9]{1,30}\.[0-9a-f]{32}", fullmatch=True))
def test_no_text_is_a_mark_by_chance_and_none_raises(text: str) -> None:
    assert origin_of(text, (KEY,), NOW) is None


def test_a_mark_that_would_hold_for_years_is_none() -> None:
    assert origin_of(signed_mark("judge", NOW + 10_000_000, KEY), (KEY,), NOW) is None


def test_the_key_of_marks_does_not_show_the_secret() -> None:
    assert origin_key(b"a" * 32) not in (b"a" * 32, origin_key(b"b" * 32))
