"""A drawn curve shows each bin where it is, whatever the values are."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from modelward.evaluate.quality.curve import curve_svg, drawn_curve
from modelward.evaluate.quality.labelled import LabelledScore
from modelward.evaluate.quality.reliability import reliability

ROWS = st.lists(st.builds(LabelledScore, st.booleans(), st.booleans(), st.floats(-1e6, 1e6)), max_size=120)


@given(rows=ROWS, title=st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30))
def test_a_curve_is_well_formed_and_stays_on_its_canvas(rows: list[LabelledScore], title: str) -> None:
    bins = reliability(rows)
    try:
        root = ET.fromstring(curve_svg(bins, title, 0.5))  # noqa: S314
    except ET.ParseError:
        assert any(ord(one) in (0xFFFE, 0xFFFF) for one in title), "which no XML can hold"
        return
    circles = [one for one in root.iter() if one.tag.endswith("circle")]
    assert len(circles) == len(bins)
    for circle in circles:
        assert 0 <= float(circle.attrib["cx"]) <= float(root.attrib["width"])
        assert 0 <= float(circle.attrib["cy"]) <= float(root.attrib["height"])
    lines = drawn_curve(bins)
    assert len(lines) == len(bins) + 1
    assert all(line.count("●") == 1 for line in lines[1:])


def test_a_bin_is_drawn_as_a_point_in_its_interval() -> None:
    bins = reliability([LabelledScore(fault=n < 5, flagged=False, value=n / 20) for n in range(20)])
    lines = drawn_curve(bins)
    assert [line[:13] for line in lines] == ["value        ", "0 to 0.45    ", "0.5 to 0.95  "]
    assert lines[1].endswith("50% (24-76) of 10")
    assert lines[2].endswith("0% (0-28) of 10")
    assert lines[1].index("●") - lines[2].index("●") == 20
