"""Durations, shares and sizes: what people write is read exactly, and what is wrong says how to write it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelward.api.quantity import (
    bytes_count,
    duration_ms,
    duration_text,
    durations_text,
    limit_text,
    percent_ppm,
    percent_text,
    shown_number,
    timestamp,
    timestamp_ms,
)


@pytest.mark.parametrize(
    ("text", "ms"),
    [("800ms", 800), ("30s", 30_000), ("15m", 900_000), ("1h30m", 5_400_000), ("1h1m1s1ms", 3_661_001), ("0s", 0)],
)
def test_a_duration_is_read_to_the_millisecond(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "15", "1.5h", "15 m", "-1s", "1d", "1h1h1h1h1h"])
def test_what_is_no_duration_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it like 800ms, 30s, 15m or 1h30m"):
        duration_ms(text)


@pytest.mark.parametrize(("text", "ppm"), [("1%", 10_000), ("0.1%", 1_000), ("100%", 1_000_000), ("99.9999%", 999_999)])
def test_a_share_is_read_to_the_millionth(text: str, ppm: int) -> None:
    assert percent_ppm(text) == ppm


@pytest.mark.parametrize("text", ["", "1", "101%", "100.1%", "0.00001%", "-1%", ".5%"])
def test_what_is_no_share_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it like 1% or 0\.1%"):
        percent_ppm(text)


@pytest.mark.parametrize(("text", "count"), [("4096", 4096), ("256Ki", 262_144), ("1Mi", 1_048_576)])
def test_a_size_is_read_in_bytes(text: str, count: int) -> None:
    assert bytes_count(text) == count


@pytest.mark.parametrize("text", ["", "1G", "1KiB", "1.5Mi"])
def test_what_is_no_size_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 4096, 256Ki or 1Mi"):
        bytes_count(text)


@pytest.mark.parametrize(
    ("ppm", "text"),
    [
        (0, "0%"),
        (310_000, "31%"),
        (10_000, "1%"),
        (2_000, "0.2%"),
        (12_000, "1.2%"),
        (500, "0.05%"),
        (1_500, "0.15%"),
        (1, "0.0001%"),
        (995_000, "99.5%"),
        (999_999, "99.9%"),
        (1_000_000, "100%"),
    ],
)
def test_a_share_is_printed_short(ppm: int, text: str) -> None:
    assert percent_text(ppm) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0ms"),
        (410, "410ms"),
        (1_200, "1.2s"),
        (2_000, "2s"),
        (61_000, "61s"),
        (720_000, "12m"),
        (3_600_000, "1h"),
        (10_800_000, "3h"),
        (777_600_000, "9d"),
    ],
)
def test_a_duration_is_printed_short(ms: int, text: str) -> None:
    assert duration_text(ms) == text


@given(st.integers(0, 100).map(lambda percent: percent * 10_000))
def test_whole_percents_survive_printing_and_reading(ppm: int) -> None:
    assert percent_ppm(percent_text(ppm)) == ppm


@example(125_000)
@example(990_001)
@given(st.integers(0, 1_000_000))
def test_a_share_that_is_shown_is_read_back_to_its_last_digit(ppm: int) -> None:
    text = percent_text(ppm)
    assert percent_text(round(shown_number(text) * 1_000_000)) == text
    assert abs(round(shown_number(text) * 1_000_000) - ppm) <= 5_000


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=3))
def test_durations_that_are_shown_are_read_back_to_their_last_digit(times_ms: list[int]) -> None:
    for ms, text in zip(times_ms, durations_text(*times_ms), strict=True):
        assert shown_number(text) == pytest.approx(ms / 1_000, abs=0.5)
        assert shown_number(f">{text}") == shown_number(text)


@given(st.integers(0, 1_000_000))
def test_a_limit_is_printed_as_it_was_written(ppm: int) -> None:
    assert percent_ppm(limit_text(ppm)) == ppm


@given(st.integers(0, 999_999))
def test_what_is_not_all_never_reads_as_all(ppm: int) -> None:
    assert percent_text(ppm) != "100%"


@given(st.integers(0, 4_000_000_000).map(lambda seconds: seconds * 1_000))
def test_times_survive_printing_and_reading(ms: int) -> None:
    assert timestamp_ms(timestamp(ms)) == ms


def test_a_time_is_written_as_kubernetes_writes_it() -> None:
    assert timestamp(1_764_000_000_999) == "2025-11-24T16:00:00Z"
