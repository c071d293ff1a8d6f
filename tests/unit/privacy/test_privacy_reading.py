"""Detectors see what a reader sees, and masks cover what is written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.privacy.reading import reading_of
from modelward.privacy.redaction import redact
from modelward.privacy.span import Span

VALUES = {
    "4111 1111 1111 1111": "[CARD]",
    "sk-proj-AbCdEf0123456789AbCdEf0123456789": "[API_KEY]",
    "536-90-4399": "[US_SSN]",
    "AKIAIOSFODNN7EXAMPLE": "[API_KEY]",
    "DE89 3704 0044 0532 0130 00": "[IBAN]",
    "192.168.10.7": "[IP_ADDRESS]",
    "+49 151 12345678": "[PHONE]",
    "ann@example.org": "[EMAIL]",
}


PIECES = ("\\n", "\\\\u0040", "%40", "&nbsp;", "\u200b", "\u2121", "４")


@pytest.mark.parametrize(("value", "mask"), VALUES.items())
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_value_at_a_line_start_inside_json_text_is_masked_however_often_it_is_nested(
    value: str, mask: str, times: int
) -> None:
    text, wanted = f"name\n{value}\n\t{value}", f"name\n{mask}\n\t{mask}"
    for _ in range(times):
        text, wanted = json.dumps({"rows": text}), json.dumps({"rows": wanted})
    assert redact(text).text == wanted


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("john\\u0040example.com", "[EMAIL]"),
        ("john\\\\u0040example.com", "[EMAIL]"),
        ("john%40example.com", "[EMAIL]"),
        ("john&#64;example.com", "[EMAIL]"),
        ("john\uff20example.com", "[EMAIL]"),
        ("jo\u0301rg@example.com", "[EMAIL]"),
        ("４１１１１１１１１１１１１１１１ x", "[CARD] x"),
        ("٤١١١١١١١١١١١١١١١", "[CARD]"),
        ("4111\u00a01111\u00a01111\u00a01111", "[CARD]"),
        ("4111\u20111111\u20111111\u20111111", "[CARD]"),
        ("4111\u200b1111\u200b1111\u200b1111", "[CARD]"),
        ("4111&nbsp;1111&nbsp;1111&nbsp;1111", "[CARD]"),
        ("536\u201390\u20134399", "[US_SSN]"),
        ("DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "[IBAN]"),
        ("\u201c4111 1111 1111 1111\u201d", "\u201c[CARD]\u201d"),
    ],
)
def test_a_value_is_masked_in_whatever_characters_a_reader_reads_it(text: str, masked: str) -> None:
    assert redact(text).text == masked


@given(
    st.lists(
        st.one_of(
            st.text(max_size=4), st.sampled_from(["\\n", "\\\\u0040", "%40", "&nbsp;", "\u200b", "\u2121", "４"])
        ),
        max_size=20,
    ).map("".join),
    st.data(),
)
def test_a_span_of_what_is_read_covers_what_was_written_for_it(text: str, data: st.DataObject) -> None:
    reading = reading_of(text)
    start = data.draw(st.integers(0, len(reading.text)))
    end = data.draw(st.integers(start, len(reading.text)))
    if start == end:
        return
    (span,) = reading.written_spans([Span("EMAIL", start, end)])
    assert 0 <= span.start < span.end <= len(text)
    assert reading.text[start:end] in reading_of(text[span.start : span.end]).text


def test_text_without_escapes_is_read_as_it_is_and_not_copied() -> None:
    text = "plain words, 12 of them"
    assert reading_of(text).text is text
