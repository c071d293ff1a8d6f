"""Our reader of pages against the reference: what prometheus_client writes, and reads, is what we read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from modelward.metrics.exposition import parse

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
LABEL_VALUES = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=12
)
VALUES = st.floats(allow_nan=True, allow_infinity=True) | st.integers(0, 10**12).map(float)
Series = tuple[str, tuple[tuple[str, str], ...], str]


def series(name: str, labels: dict[str, str], value: float) -> Series:
    return name, tuple(sorted(labels.items())), "NaN" if math.isnan(value) else repr(float(value))


def as_the_reference_reads(page: str) -> list[Series]:
    families = text_string_to_metric_families(page)
    return sorted(series(one.name, dict(one.labels), one.value) for family in families for one in family.samples)


def as_we_read(page: bytes) -> list[Series]:
    found = parse(page).samples.items()
    return sorted(series(name, dict(one.labels), one.value) for name, samples in found for one in samples)


@given(
    st.dictionaries(NAMES, st.dictionaries(LABEL_VALUES, VALUES, max_size=4), max_size=4),
    st.lists(st.floats(0, 100), max_size=20),
)
def test_a_page_that_the_library_writes_is_read_as_the_library_reads_it(
    gauges: dict[str, dict[str, float]], observed: list[float]
) -> None:
    registry = CollectorRegistry()
    for name, values in gauges.items():
        gauge = Gauge(f"level_{name}", "help \\ with\nlines", ["model"], registry=registry)
        for model, value in values.items():
            gauge.labels(model=model).set(value)
    histogram = Histogram("duration_seconds", "h", ["code"], buckets=(0.1, 1.0, 10.0), registry=registry)
    counter = Counter("requests", "c", registry=registry)
    for seconds in observed:
        histogram.labels(code="200").observe(seconds)
        counter.inc()
    page = generate_latest(registry)
    assert as_we_read(page) == as_the_reference_reads(page.decode())


_SPACE = st.sampled_from(["", " ", "\t", "  "])
_LABELS = st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True), LABEL_VALUES, max_size=3)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Draw a line as people and engines write them: blanks, a last comma, a timestamp, numbers in any form."""
    name, space = draw(NAMES), draw(_SPACE)
    escaped = (
        (key, text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for key, text in draw(_LABELS).items()
    )
    inside = ",".join(f'{key}="{text}"' for key, text in escaped)
    comma = "," if inside and draw(st.booleans()) else ""
    labels = f"{{{inside}{comma}}}" if inside else ""
    value = draw(st.sampled_from(["0", "1", "-2.5", "1e3", "+Inf", "-Inf", "NaN", "3.0E-2"]))
    stamp = draw(st.sampled_from(["", " 1700000000000"]))
    return f"{name}{labels}{space or ' '}{value}{stamp}"


@given(st.lists(lines(), unique_by=lambda line: line.split("{")[0].split()[0], max_size=8))
def test_a_page_by_hand_is_read_as_the_library_reads_it(written: list[str]) -> None:
    page = "\n".join(["# a comment", *written, ""])
    assert as_we_read(page.encode()) == as_the_reference_reads(page)


@pytest.mark.parametrize("page", ["a{", 'a{b="c} 1', "a{b=c} 1", "a one"])
def test_what_the_library_cannot_read_is_refused_by_us_too(page: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        as_we_read(f"{page}\n".encode())
    with pytest.raises(ValueError, match=r"."):
        as_the_reference_reads(f"{page}\n")
