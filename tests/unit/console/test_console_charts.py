"""Charts draw what is known and nothing else: no gap is bridged or drawn as zero, and all stays in its frame."""

from __future__ import annotations

import re

import console_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from modelward.console.charts.budget_bar import budget_bar
from modelward.console.charts.interval_bar import BarReading, interval_bar
from modelward.console.charts.layers import Pen
from modelward.console.charts.scale import Axis, axis
from modelward.console.charts.shapes import SvgElement, number
from modelward.console.charts.timeline import DAY, HOUR, Timeline, gaps, span_text
from modelward.console.charts.track import Track, runs
from modelward.console.pages.history import strips
from modelward.console.pages.read_out import NOT_WATCHED, read_out
from modelward.console.text import plain

VALUES = st.floats(0, 1e12, allow_nan=False)
NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")


def _xs(shape: SvgElement) -> list[float]:
    found = [float(shape.attributes[key]) for key in ("x", "x1", "x2", "cx") if key in shape.attributes]
    return found + [float(one) for one in re.findall(r"[ML](-?[\d.]+) ", shape.attributes.get("d", ""))]


@given(st.sampled_from(["Passed", "Failed", "Unknown"]), *(st.none() | VALUES for _ in range(4)), st.booleans())
def test_an_interval_bar_stays_in_its_frame_whatever_it_is_given(
    verdict: str, value: float | None, low: float | None, high: float | None, limit: float | None, above: bool
) -> None:
    reading = BarReading(verdict, value, low, high, limit, "Above" if above else "Below")  # type: ignore[arg-type]
    for shape in interval_bar(reading):
        assert all(0 <= x <= 153 for x in _xs(shape)), shape
        assert float(shape.attributes.get("width", "0")) >= 0, shape


@given(st.lists(st.integers(-(10**6), 10**8)), st.lists(st.none() | VALUES), st.floats(0.1, 1e6))
def test_many_places_are_those_of_each(times: list[int], values: list[float | None], top: float) -> None:
    line, scale = Timeline(1_000, 86_401_000), Axis(top, (), 19, str)
    assert line.xs(times) == [line.x(one) for one in times]
    assert scale.ys(values) == [scale.y(one or 0.0) for one in values]


def test_the_limit_stands_in_the_middle_of_every_bar() -> None:
    limits = [
        shape.attributes["x1"]
        for limit in (0.01, 1, 10, 1e6)
        for shape in interval_bar(BarReading("Passed", limit / 3, limit / 4, limit / 2, limit))
        if shape.attributes["class"] == "lim"
    ]
    assert set(limits) == {"74"}


def test_an_undecided_interval_is_hollow_and_one_that_is_not_known_is_hatched() -> None:
    classes = [shape.attributes["class"] for shape in interval_bar(BarReading("Unknown", 9, 6, 12, 10))]
    assert "U box" in classes
    assert "bar U" not in classes
    assert [s.attributes["class"] for s in interval_bar(BarReading("Unknown", limit=10))] == [
        "over",
        "trk",
        "nowatch",
        "lim",
    ]


def test_bad_values_lie_on_the_side_that_fails() -> None:
    def zone(worse: str) -> tuple[float, float]:
        shape = interval_bar(BarReading("Passed", 8, 7, 9, 10, worse))[0]  # type: ignore[arg-type]
        start = float(shape.attributes["x"])
        return start, start + float(shape.attributes["width"])

    assert zone("Above") == (74, 144)
    assert zone("Below") == (4, 74)


@given(st.lists(st.none() | st.floats(0, 1e9), min_size=1, max_size=50))
def test_no_line_bridges_a_gap(values: list[float | None]) -> None:
    track = Track(
        tuple(range(0, 60 * len(values), 60)), 60, tuple(float(v is not None) for v in values), {"v": tuple(values)}
    )
    covered = [index for run in runs(track, track.column("v")) for index in run]
    assert covered == [index for index, value in enumerate(values) if value is not None]
    assert all(values[index] is not None for run in runs(track, track.column("v")) for index in run)


def test_rows_that_do_not_follow_on_each_other_are_not_joined() -> None:
    track = Track((0, 60, 600), 60, (1.0, 1.0, 1.0), {"v": (1.0, 2.0, 3.0)})
    pen = Pen(track, Timeline(0, 660), axis([3.0], 50, plain))
    assert pen.curve("l1", track.column("v"))[0].attributes["d"].count("M") == 2


def test_time_without_rows_is_a_gap_and_a_row_without_requests_is_none() -> None:
    line = Timeline(0, 10 * HOUR)
    starts = tuple(range(0, 4 * HOUR, HOUR))
    assert gaps(starts, HOUR, (1.0, 0.0, 1.0, 1.0), line) == ((HOUR, 2 * HOUR), (4 * HOUR, 10 * HOUR))
    assert gaps((), HOUR, (), line) == ((0, 10 * HOUR),)


def test_the_axis_has_round_numbers_from_zero_and_holds_every_value() -> None:
    for values in ([0.32], [7.0], [980.0], [3.0, 1.0], [1.2e9]):
        found = axis(values, 80, plain)
        assert found.ticks[0] == 0
        assert 2 <= len(found.ticks) <= 5
        assert found.top >= max(values)
        assert 0 <= found.y(max(values)) < 10


@given(st.integers(10_000, 400 * DAY))
def test_an_axis_of_time_has_few_labels_of_round_moments(span: int) -> None:
    ticks = Timeline(samples.NOW_MS - span, samples.NOW_MS).ticks()
    assert len(ticks) <= 9
    assert all(0 <= one.share <= 1 for one in ticks)


def test_a_budget_that_is_not_known_is_hatched_and_one_that_is_spent_is_empty() -> None:
    assert budget_bar(None)[0].attributes["class"] == "nowatch"
    assert budget_bar(-0.4)[1].attributes == {"class": "v out", "x": "1", "y": "1", "width": "0", "height": "8"}


@given(st.floats(-1e9, 1e9, allow_nan=False))
def test_numbers_are_written_as_svg_reads_them(value: float) -> None:
    assert NUMBERS.fullmatch(number(value))
    assert abs(float(number(value)) - value) <= 0.006


def test_the_cursor_reads_not_watched_in_a_gap_and_the_value_elsewhere() -> None:
    found = samples.history()
    drawn, columns = strips(found, samples.NOW_MS)
    read = read_out(columns, found.line, samples.NOW_MS)
    keys = {entry.key for strip in drawn for entry in strip.legend if entry.key} - {"at"}
    assert keys == read.texts.keys()
    served = read.texts["ok"]
    assert NOT_WATCHED in served
    assert served[0] != NOT_WATCHED
    assert {len(texts) for texts in read.texts.values()} == {len(read.times)}


def test_spans_of_time_are_told_in_one_or_two_units() -> None:
    told = {8_000: "8 s", 240_000: "4 min", 12_420_000: "3 h 27 min", 19 * HOUR: "19 h", 9 * DAY: "9 d", -5: "0 s"}
    assert {span: span_text(span) for span in told} == told
