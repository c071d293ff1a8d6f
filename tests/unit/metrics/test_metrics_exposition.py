"""Pages as engines write them, and as they should never be."""

import contextlib
import math
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.metrics.exposition import Families, PageTooLargeError, ParseError, cut_short, parse


def test_reads_what_real_pages_contain() -> None:
    page = parse(
        b"# HELP vllm:num_requests_running Number of requests.\n"
        b"# TYPE vllm:num_requests_running gauge\n"
        b'vllm:num_requests_running{engine="0",model_name="m"} 3.0 1700000000000\r\n'
        b'vllm:num_requests_running { engine = "1" , model_name = "m" , } 4\n'
        b"\n  \t\n"
        b'latency_bucket{le="+Inf"} 7 # {trace_id="a b"} 0.5 1700000000.1\n'
        b"temperature -1.5e-3\n"
    )
    assert [sample.value for sample in page.of("vllm:num_requests_running")] == [3.0, 4.0]
    assert page.of("vllm:num_requests_running")[1].labels == {"engine": "1", "model_name": "m"}
    assert page.of("latency_bucket")[0].value == 7
    assert page.of("temperature")[0].value == -0.0015
    assert page.kinds == {"vllm:num_requests_running": "gauge"}
    assert "temperature" in page
    assert "humidity" not in page


def test_keeps_values_that_are_no_numbers() -> None:
    page = parse(b"a NaN\nb +Inf\nc -Inf\n")
    assert math.isnan(page.of("a")[0].value)
    assert page.of("b")[0].value == math.inf
    assert page.of("c")[0].value == -math.inf


def test_undoes_escapes_in_labels() -> None:
    page = parse(rb'a{path="C:\\x",said="\"hi\"\n",odd="\q",brace="}{,"} 1')
    assert page.of("a")[0].labels == {"path": "C:\\x", "said": '"hi"\n', "odd": "\\q", "brace": "}{,"}


def test_reads_over_bytes_that_are_no_utf8_and_a_byte_order_mark() -> None:
    assert parse(b'\xef\xbb\xbfa{model="\xff"} 1').of("a")[0].labels == {"model": "\ufffd"}


def test_stops_at_the_end_that_openmetrics_marks() -> None:
    assert "b" not in parse(b"a 1\n# EOF\nb 1\n")


def test_an_empty_page_is_a_page_without_series() -> None:
    assert parse(b"").samples == {}


@pytest.mark.parametrize(
    "line",
    [
        b"<html>",
        b'{"error": "not found"}',
        b"a",
        b"a{",
        b'a{b="c}',
        b'a{b="c"}',
        b'a{b="c" d="e"} 1',
        b"a{b=c} 1",
        b"a one",
        b"a 1_000",
        b"a " + b"9" * 100,
        b"a-b 1",
        b"1a 1",
    ],
)
def test_names_the_line_that_is_no_metric(line: bytes) -> None:
    with pytest.raises(ParseError, match=r"^line 3: ") as caught:
        parse(b"ok 1\n# fine\n" + line + b"\nok 2\n")
    assert caught.value.line == 3
    assert len(str(caught.value)) < 200


def test_refuses_more_bytes_than_it_was_allowed() -> None:
    with pytest.raises(PageTooLargeError, match="101 bytes, at most 100"):
        parse(b"#" * 101, max_bytes=100)


def test_refuses_more_series_than_it_was_allowed() -> None:
    with pytest.raises(PageTooLargeError, match="line 4: more than 3 series"):
        parse(b"a 1\n" * 5, max_series=3)


@pytest.mark.parametrize(
    "page",
    [
        b'a{b="' + b"\\" * 1_900_000,
        b'a{b="' + b'\\"' * 900_000,
        b"a{" + b'b="c",' * 300_000,
        b"a" * 1_900_000,
        b"a{" + b" " * 1_900_000,
        b" " * 1_900_000 + b"{",
        b"a 1" + b" " * 1_900_000 + b"x",
        b"\n" * 1_900_000,
    ],
    ids=["backslashes", "escaped quotes", "labels", "name", "blanks in labels", "blanks", "trailing", "empty lines"],
)
def test_hostile_pages_cost_time_linear_in_their_size(page: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(ParseError):
        parse(page)
    assert time.process_time() - started < 2


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(page: bytes) -> None:
    with contextlib.suppress(ParseError):
        assert isinstance(parse(page), Families)


_NAMES = st.text(string.ascii_letters + "_:", min_size=1, max_size=8)
_LABELS = st.dictionaries(
    st.text(string.ascii_letters + "_", min_size=1, max_size=6),
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8),
    max_size=4,
)


@given(
    st.lists(
        st.tuples(_NAMES, _LABELS, st.floats(allow_nan=False)),
        max_size=8,
        unique_by=lambda each: (each[0], frozenset(each[1].items())),
    )
)
def test_what_was_written_is_read_back(series: list[tuple[str, dict[str, str], float]]) -> None:
    def escaped(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    lines = [
        name + "{" + ",".join(f'{label}="{escaped(value)}"' for label, value in labels.items()) + "} " + repr(number)
        for name, labels, number in series
    ]
    page = parse("\n".join(lines).encode())
    for name, labels, number in series:
        assert any(sample.labels == labels and sample.value == number for sample in page.of(name))


def test_a_series_that_is_there_twice_counts_once_and_two_values_are_no_page() -> None:
    assert [each.value for each in parse(b'a{b="1",c="2"} 3\na{b="1",c="2"} 3\nb NaN\nb NaN').of("a")] == [3]
    with pytest.raises(ParseError, match="line 2: a second value for"):
        parse(b'a{b="1",c="2"} 3\na{b="1",c="2"} 4')


def test_more_labels_than_any_series_has_are_refused() -> None:
    labels = ",".join(f'l{place}=""' for place in range(65))
    with pytest.raises(PageTooLargeError, match="more than 64 labels in"):
        parse(f"a{{{labels}}} 1".encode())


@pytest.mark.parametrize(("page", "cut"), [(b"", False), (b"a 1\n", False), (b"a 1\n# EOF", False), (b"a 1", True)])
def test_a_page_that_ends_within_a_line_was_cut(page: bytes, cut: bool) -> None:
    assert cut_short(page) is cut
