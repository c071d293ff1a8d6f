"""Whatever a judge answers is read once: as a label in range, or as a failure with its cause."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.api.judge import Readout
from modelward.evaluate.judge.judging import of_both
from modelward.evaluate.judge.labels import LabelSet
from modelward.evaluate.judge.reading import LabelReading, NoLabel, read
from modelward.evaluate.judge.reply import Reply, Spent, decoded
from modelward.evaluate.judge.request import AskForm
from modelward.evaluate.judge.settings import READOUTS

LABELS = LabelSet(("off-brand",), ("on-brand", "on-brand and warm"), ("unsure",))
WORDS = [
    *LABELS.every,
    "off",
    "on",
    "un",
    "OFF-BRAND",
    "maybe",
    "",
    " ",
    "\n",
    "{",
    "```json",
    "Label:",
    '"',
    "<think>",
]
replies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["choices", "message", "content", "text", "logprobs", "top_logprobs", "token", "logprob",
                         "finish_reason", "usage", "prompt_tokens", "model", "label", "reason"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
said = st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=5).map(" ".join)
places = st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), st.floats(0, 1), max_size=5)


def chat(text: str | None, tops: list[dict[str, float]] | None = None, finish: str = "stop", **more: Any) -> bytes:
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
    if tops is not None:
        content = [
            {"token": next(iter(place)), "logprob": 0.0,
             "top_logprobs": [{"token": token, "logprob": math.log(p)} for token, p in place.items()]}
            for place in tops
        ]  # fmt: skip
        choice["logprobs"] = {"content": content}
    return json.dumps({"model": "m", "choices": [choice], **more}).encode()


def read_of(readout: Readout, raw: bytes) -> LabelReading | NoLabel:
    found = decoded(raw)
    assert found is not None
    return read(readout, found, LABELS)


def assert_counts_once(found: LabelReading | NoLabel) -> None:
    if isinstance(found, NoLabel):
        assert found.cause
        return
    assert found.label in LABELS.every
    assert (found.value is None) == (found.meaning == "Abstain")
    assert found.value is None or 0.0 <= found.value <= 1.0
    assert len(found.reason) <= 300


@settings(max_examples=200, deadline=None)
@given(said, st.booleans(), st.lists(places, max_size=3).map(tuple), st.sampled_from(READOUTS))
def test_any_answer_counts_once_and_in_range_or_as_failed(
    text: str, cut: bool, tokens: tuple[dict[str, float], ...], readout: Readout
) -> None:
    assert_counts_once(read(readout, Reply(text, cut, tokens, "m", Spent()), LABELS))


@settings(max_examples=200, deadline=None)
@given(replies, st.sampled_from(READOUTS))
def test_any_json_is_read_or_is_no_reply(value: Any, readout: Readout) -> None:
    raw = json.dumps({"choices": [value]} if not isinstance(value, dict) or "choices" not in value else value).encode()
    if found := decoded(raw):
        assert_counts_once(read(readout, found, LABELS))


@pytest.mark.parametrize(
    "raw",
    [b"", b"<html>down</html>", b"[]", b"{}", b'{"choices":[]}', b'{"choices":[{"message":{"content":NaN}}]}',
     b"[" * 100_000, b'"\xff"', b'{"choices":[null]}'],
)  # fmt: skip
def test_what_is_no_reply_is_none(raw: bytes) -> None:
    assert decoded(raw) is None


@pytest.mark.parametrize(
    ("tops", "label", "value"),
    [
        ([{"off": 0.6, "on": 0.2, "The": 0.2}], "off-brand", 0.75),
        ([{" on": 0.9, "off": 0.1}], "on-brand", 0.1),
        ([{"\n": 0.9, " ": 0.1}, {"Off": 0.5, "on": 0.5}], "off-brand", 0.5),
        ([{"\u0120off": 0.8, "\u0120on": 0.2}], "off-brand", 0.8),
        ([{"uns": 0.6, "on": 0.2, "off": 0.2}], "unsure", None),
        ([{"o": 0.9, "off": 0.06, "on": 0.04}], "off-brand", 0.6),
    ],
)
@pytest.mark.parametrize("readout", ["ChatLabel", "CompletionLabel"])
def test_probabilities_of_first_tokens_make_a_value(
    tops: list[dict[str, float]], label: str, value: float | None, readout: Readout
) -> None:
    found = read_of(readout, chat("", tops))
    assert isinstance(found, LabelReading)
    assert found.label == label
    assert found.value == (value if value is None else pytest.approx(value, abs=0.01))


def test_older_completions_give_their_probabilities_in_another_form() -> None:
    choice = {"text": " off", "logprobs": {"top_logprobs": [{" off": math.log(0.7), " on": math.log(0.3)}]}}
    found = read_of("CompletionLabel", json.dumps({"choices": [choice]}).encode())
    assert isinstance(found, LabelReading)
    assert found.value == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("readout", "raw", "cause"),
    [
        ("ChatLabel", chat("off-brand"), "no-probabilities"),
        ("ChatLabel", chat("The", [{"The": 0.9, "A": 0.1}]), "foreign-label"),
        ("Word", chat(""), "empty"),
        ("Word", chat(None), "empty"),
        ("Word", chat("", finish="length"), "truncated"),
        ("Word", chat("on", finish="length"), "truncated"),
        ("Word", chat("on-brand", finish="length"), "truncated"),
        ("Word", chat("excellent\non-brand"), "foreign-label"),
        ("Word", chat("on-brand-ish"), "foreign-label"),
        ("JSONSchema", chat('{"label": "on-brand", "reas', finish="length"), "truncated"),
        ("JSONSchema", chat("on-brand"), "not-json"),
        ("JSONSchema", chat('{"label": NaN}'), "not-json"),
        ("JSONSchema", chat('{"label": "great"}'), "foreign-label"),
        ("JSONSchema", chat('["on-brand"]'), "foreign-label"),
        ("JSONSchema", chat('{"label": ["on-brand"]}'), "foreign-label"),
    ],
)
def test_what_is_no_label_has_its_cause(readout: Readout, raw: bytes, cause: str) -> None:
    assert read_of(readout, raw) == NoLabel(cause)


@pytest.mark.parametrize(
    ("readout", "text", "label"),
    [
        ("Word", "off-brand\nIt names Acme.", "off-brand"),
        ("Word", "**Off-Brand**: it names Acme.", "off-brand"),
        ("Word", "Label: unsure", "unsure"),
        ("Word", "on-brand and warm", "on-brand and warm"),
        ("JSONSchema", '{"label": "ON-BRAND", "reason": "fine"}', "on-brand"),
        ("JSONSchema", '```json\n{"label": "off-brand", "reason": 3}\n```', "off-brand"),
    ],
)
def test_labels_are_found_as_models_write_them(readout: Readout, text: str, label: str) -> None:
    found = read_of(readout, chat(text))
    assert isinstance(found, LabelReading)
    assert found.label == label


def test_a_reason_is_at_most_300_characters() -> None:
    found = read_of("JSONSchema", chat(json.dumps({"label": "on-brand", "reason": "words-" * 40 + " words" * 40})))
    assert isinstance(found, LabelReading)
    assert len(found.reason) == 300


@pytest.mark.parametrize(
    ("usage", "spent"),
    [
        ({"prompt_tokens": 412, "completion_tokens": 9}, Spent(412, 9)),
        ({"prompt_tokens": -1, "completion_tokens": 1.5}, Spent()),
        ("many", Spent()),
        (None, Spent()),
    ],
)
def test_tokens_are_those_that_a_reply_tells(usage: Any, spent: Spent) -> None:
    found = decoded(chat("unsure", usage=usage))
    assert found is not None
    assert found.spent == spent


def reading(meaning: Any, value: float | None) -> LabelReading:
    return LabelReading("x", meaning, value)


@pytest.mark.parametrize(
    ("first", "second", "label", "flagged"),
    [
        (reading("Fault", 0.9), reading("Fault", 0.7), "worse", True),
        (reading("OK", 0.1), reading("OK", 0.2), "better", False),
        (reading("Fault", 0.9), reading("OK", 0.1), "tie", False),
        (reading("Abstain", None), reading("Fault", 1.0), "tie", False),
        (reading("Abstain", None), reading("Abstain", None), "tie", False),
    ],
)
def test_orders_that_part_are_a_tie(first: LabelReading, second: LabelReading, label: str, flagged: bool) -> None:
    found = of_both([first, second])
    assert (found.label, found.meaning == "Fault") == (label, flagged)
    assert found.value is not None
    assert 0.0 <= found.value <= 1.0


def refusals(form: AskForm, status: int, said: bytes) -> list[AskForm]:
    forms = [form]
    while (lower := forms[-1].after(status, said)) is not None:
        forms.append(lower)
        assert len(forms) < 20
    return forms


@pytest.mark.parametrize(
    ("status", "said", "readout", "left"),
    [
        (400, b"Unsupported parameter: 'temperature'", "ChatLabel", {"temperature"}),
        (422, b'{"error": "seed is not permitted"}', "ChatLabel", {"seed"}),
        (400, b"top_logprobs must be at most 5", "ChatLabel", {"top_logprobs"}),
        (400, b"use max_completion_tokens instead of max_tokens", "ChatLabel", {"max_tokens"}),
        (400, b"bad request", "ChatLabel", {"temperature", "seed"}),
        (404, b"", "ChatLabel", None),
    ],
)
def test_a_refusal_leaves_out_what_it_names(status: int, said: bytes, readout: Readout, left: set[str] | None) -> None:
    found = AskForm(READOUTS[1:]).after(status, said)
    assert found == (None if left is None else AskForm(READOUTS[1:], frozenset(left)))  # type: ignore[arg-type]


def test_a_refusal_of_all_ends_at_a_bare_question() -> None:
    for said in (b"", b"logprobs", b"response_format", b"temperature seed max_tokens logprobs response_format"):
        last = refusals(AskForm(READOUTS), 400, said)[-1]
        assert last.readout == "Word"
    assert refusals(AskForm(READOUTS), 404, b"not found")[1].readout == "ChatLabel"
