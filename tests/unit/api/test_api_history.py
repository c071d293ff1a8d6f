"""What the operator sends of past minutes, and what the hub answers, pass through JSON unchanged."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import Counts
from modelward.api.history import (
    BOUNDS,
    LEVELS,
    MINUTE_MS,
    OUTCOMES,
    HistoryPart,
    HistoryRow,
    LevelSpread,
    ObjectiveCount,
    row_from_json,
    row_to_json,
)
from modelward.api.series import (
    CheckSums,
    HistorySeries,
    ObjectivePeriod,
    ObjectiveSums,
    SeriesLine,
    period_from_json,
    period_to_json,
    series_from_json,
    series_to_json,
)
from modelward.collector import families

COUNTS = st.integers(0, 1 << 50)
NAMES = st.text("abc-.9", min_size=1, max_size=9)
PARTS = st.builds(
    HistoryPart,
    NAMES | st.just(""),
    NAMES,
    st.dictionaries(st.sampled_from(OUTCOMES), COUNTS),
    st.fixed_dictionaries({}, optional={
        name: st.lists(COUNTS, min_size=len(bounds) + 1, max_size=len(bounds) + 1).map(tuple)
        for name, bounds in BOUNDS.items()
    }),
    COUNTS | st.none(),
    COUNTS | st.none(),
    COUNTS | st.none(),
    st.sampled_from(["", "USD"]),
    COUNTS | st.none(),
)  # fmt: skip
ROWS = st.builds(
    HistoryRow,
    NAMES,
    NAMES,
    st.integers(0, 1 << 25).map(lambda minute: minute * MINUTE_MS),
    COUNTS,
    st.lists(PARTS, max_size=5).map(tuple),
    st.dictionaries(st.sampled_from(LEVELS), st.builds(LevelSpread, COUNTS, COUNTS, COUNTS, COUNTS)),
    st.lists(st.builds(ObjectiveCount, NAMES, NAMES, COUNTS, COUNTS), max_size=3).map(tuple),
)
COLUMN = st.lists(COUNTS | st.none(), max_size=4).map(tuple)
LINES = st.builds(SeriesLine, NAMES, COLUMN, COLUMN, COLUMN, COLUMN, NAMES, NAMES)


@given(ROWS)
def test_a_row_is_the_same_after_json(row: HistoryRow) -> None:
    assert row_from_json(orjson.loads(orjson.dumps(row_to_json(row)))) == row


@given(st.lists(LINES, max_size=3).map(tuple), COLUMN)
def test_an_answer_is_the_same_after_json(lines: tuple[SeriesLine, ...], at_ms: tuple[int, ...]) -> None:
    series = HistorySeries("ttft", "model", "1h", 3_600_000, at_ms, at_ms, lines, "why")
    assert series_from_json(orjson.loads(orjson.dumps(series_to_json(series)))) == series
    period = ObjectivePeriod(1, 2, 3, (ObjectiveSums("p", "o", 4, 5),))
    scored = replace(period, checks=(CheckSums("p", "c", 9, Counts(20, 5, weight=20.5, weight_squared=21.0)),))
    for one in (period, scored):
        assert period_from_json(orjson.loads(orjson.dumps(period_to_json(one)))) == one


@pytest.mark.parametrize(
    "change",
    [
        {"coveredMs": -1},
        {"minuteMs": "now"},
        {"endpoint": "x" * 254},
        {"parts": [{}] * 7},
        {"parts": [{"latencies": {"ttft": [1, 2]}}]},
        {"levels": {"queue": [1, 2]}},
        {"objectives": [["p", "o", 1]]},
        {"parts": [{"outcomes": {"ok": True}}]},
    ],
)
def test_what_is_no_row_is_refused(change: dict[str, object]) -> None:
    good = row_to_json(HistoryRow("retail", "chat", MINUTE_MS, 60_000))
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        row_from_json(good | change)


def test_buckets_are_those_of_collectors() -> None:
    """A count then moves from page to history as it is."""
    named = {"ttft": families.TTFT, "tpot": families.TPOT, "duration": families.DURATION}
    assert {name: families.FAMILIES[family].bounds for name, family in named.items()} == dict(BOUNDS)
