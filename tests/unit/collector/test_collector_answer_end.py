"""What ends is told as it ended, by the words of its own API, and no answer's text can imitate them."""

from __future__ import annotations

import json

import pytest
from collector_rig import DONE, TOKEN, USAGE
from hypothesis import example, given
from hypothesis import strategies as st

from modelward.api.exchange import Usage
from modelward.collector.answer_tail import KEPT_BYTES, MOST_BYTES, AnswerTail


def tail_of(body: bytes, step: int = 0) -> AnswerTail:
    tail = AnswerTail()
    for start in range(0, len(body), step or len(body) or 1):
        tail.add(body[start : start + (step or len(body))])
    return tail


def end_of(body: bytes, *, stream: bool = True, step: int = 0) -> str:
    return tail_of(body, step).end(stream=stream)


ERRORS = {
    "an error object": b'data: {"error":{"message":"boom","type":"server_error"}}\n\n',
    "an error object, then the end mark": b'data: {"error":{"message":"boom"}}\n\ndata: [DONE]\n\n',
    "an error as text": b'data: {"error": "boom"}\n\n',
    "an object of kind error": b'data: {"object":"error","message":"boom","code":500}\n\ndata: [DONE]\n\n',
    "an event of the Messages API": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n',
    "an event without a space": b'event:error\ndata:{"code":500}\n\n',
    "a failed response": b'event: response.failed\ndata: {"type":"response.failed","response":{"status":"failed"}}\n\n',
    "an error field": b'error: {"code":500,"message":"boom","type":"server_error"}\n\n',
    "an error beside choices": (
        b'data: {"id":"c","error":{"code":502},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}\n\n'
    ),
    "a finish reason": b'data: {"id":"c","choices":[{"delta":{},"finish_reason":"error"}]}\n\ndata: [DONE]\n\n',
    "a line of Ollama": b'{"error":"an error was encountered while running the model"}\n',
}
ENDS = {
    "chat": b"data: [DONE]\n\n",
    "chat without a space": b"data:[DONE]\n\n",
    "chat and a comment": b"data: [DONE]\n\n: bye\n\n",
    "messages": b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    "responses": b'event: response.completed\ndata: {"type":"response.completed","response":{"error":null}}\n\n',
    "responses cut by a limit": b'data: {"response":{},"type":"response.incomplete"}\n\n',
    "ollama": b'{"model":"m","response":"","done":true,"eval_count":5}\n',
}
_LINE_ENDS = (b"\n", b"\r\n", b"\r")


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("newline", _LINE_ENDS)
def test_an_error_told_with_status_200_is_an_error(name: str, newline: bytes) -> None:
    body = (TOKEN + ERRORS[name]).replace(b"\n", newline)
    assert end_of(body) == "error"
    assert end_of(TOKEN * 1_000 + body, step=7) == "error"


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("newline", _LINE_ENDS)
def test_the_end_mark_of_each_api_is_known(name: str, newline: bytes) -> None:
    body = (TOKEN + ENDS[name]).replace(b"\n", newline)
    assert end_of(body) == "complete"
    assert end_of(body[: len(TOKEN)]) == ""
    assert end_of(TOKEN * 1_000 + body, step=7) == "complete"


@pytest.mark.parametrize("name", ["response.failed", "response.completed"])
def test_a_last_event_too_long_to_keep_is_known_by_its_beginning(name: str) -> None:
    event = {"type": name, "response": {"instructions": "x" * 10 * KEPT_BYTES, "status": "done"}}
    expected = "error" if name == "response.failed" else "complete"
    assert end_of(TOKEN + b"data: " + json.dumps(event).encode() + b"\n\n", step=4_000) == expected
    line = b'{"model":"m","response":"","done":true,"context":[' + b"1," * 5 * KEPT_BYTES + b'1],"eval_count":5}\n'
    assert end_of(line, step=4_000) == "complete"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":{"message":"boom"}}', "error"),
        (b'{"object":"error","message":"boom"}', "error"),
        (b'{"id":"r","object":"response","status":"failed","error":{"code":"server_error"}}', "error"),
        (b'{"id":"r","object":"response","status":"completed","error":null}', ""),
        (b'{"choices":[{"message":{"content":"error"},"finish_reason":"stop"}]}', ""),
        (b'{"choices":[{"message":{"content":""},"finish_reason":"error"}]}', "error"),
        (b'{"nested":{"error":{"message":"of a tool"}}}', ""),
        (b'{"error":{"message":"' + b"x" * 5 * KEPT_BYTES + b'"}}', "error"),
        (b'{"data":[' + b"0.1," * 5 * KEPT_BYTES + b"0]}", ""),
        (b"", ""),
        (b'not json but "error": {', ""),
    ],
)
def test_a_whole_answer_with_status_200_may_be_an_error(body: bytes, expected: str) -> None:
    assert end_of(body, stream=False) == expected


_SIGNS = (
    "event: error",
    "data: [DONE]",
    '{"error":{"m":1}}',
    'error: {"code":1}',
    '"done":true',
    "\n\n",
    "\r",
    "data: ",
)
_TEXTS = st.lists(st.one_of(st.sampled_from(_SIGNS), st.text(max_size=20)), max_size=8).map("".join)


@given(_TEXTS, st.integers(1, 60))
def test_no_text_of_a_model_is_taken_for_an_end_or_an_error(text: str, step: int) -> None:
    for event in (
        {"choices": [{"delta": {"content": text}, "finish_reason": None}]},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}},
    ):
        body = b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"
        assert end_of(body, step=step) == ""
    line = json.dumps({"message": {"content": text}, "done": False}, ensure_ascii=False).encode() + b"\n"
    assert end_of(line, step=step) == ""
    whole = json.dumps({"choices": [{"message": {"content": text}}], "error": None}, ensure_ascii=False).encode()
    assert end_of(whole, stream=False, step=step) == ""


@given(st.binary(max_size=400), st.integers(1, 40))
def test_any_bytes_are_read_without_harm(body: bytes, step: int) -> None:
    tail = tail_of(b"data: {" + body, step)
    assert tail.end(stream=True) in ("", "complete", "error")
    assert isinstance(tail.usage(), Usage)
    assert isinstance(tail.model(), str)


def messages_stream(words: int) -> bytes:
    usage = {"input_tokens": 25, "cache_read_input_tokens": 100, "output_tokens": 1}
    word: dict[str, object] = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "word"}}
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": {"model": "m", "usage": usage}},
        *[word] * words,
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": words}},
        {"type": "message_stop"},
    ]
    return b"".join(b"event: %b\ndata: %b\n\n" % (str(e["type"]).encode(), json.dumps(e).encode()) for e in events)


@pytest.mark.parametrize("words", [15, 3_000])
def test_a_stream_of_the_messages_api_tells_input_at_its_beginning_and_output_at_its_end(words: int) -> None:
    assert tail_of(messages_stream(words), 500).usage() == Usage(125, words, 100)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 5, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 5}, Usage(100, None, 90)),
        ({"input_tokens": 5, "cache_read_input_tokens": None}, Usage(5, None, None)),
        ({"input_tokens": 100, "input_tokens_details": {"cached_tokens": 90}}, Usage(100, None, 90)),
        ({"prompt_tokens": 100, "cache_read_input_tokens": 90}, Usage(100, None, 90)),
        ({"prompt_tokens": 7, "prompt_tokens_details": None, "completion_tokens": 3}, Usage(7, 3, None)),
    ],
)
def test_cached_input_is_part_of_the_input_whatever_the_api(usage: dict[str, object], expected: Usage) -> None:
    assert tail_of(json.dumps({"usage": usage}).encode()).usage() == expected


@pytest.mark.parametrize("step", [100, 4_000, 500_000])
def test_usage_that_stands_before_long_data_is_read(step: int) -> None:
    body = b'{"model":"m","usage":{"prompt_tokens":7,"total_tokens":7},"data":[' + b"0.0123," * 60_000 + b"0]}"
    tail = tail_of(body, step)
    assert tail.usage() == Usage(7, None, None)
    assert tail.model() == "m"


@example(246, 4037)
@example(12_055, 4_039)
@given(st.integers(1, 3 * KEPT_BYTES), st.integers(0, 4 * KEPT_BYTES))
def test_usage_is_found_wherever_the_answer_is_cut(step: int, behind: int) -> None:
    body = b'{"data":"' + b"x" * 20_000 + b'","usage":{"prompt_tokens":7,"completion_tokens":3},"more":"'
    assert tail_of(body + b"y" * behind + b'"}', step).usage() == Usage(7, 3, None)


def test_what_is_kept_of_an_answer_is_bounded_however_it_comes() -> None:
    for piece in (b"x", TOKEN, b"y" * 100_000, b"\n" * 50):
        tail = AnswerTail()
        for _ in range(200_000 // len(piece)):
            tail.add(piece)
        held = tail._pieces
        assert sum(map(len, held)) + 48 * len(held) <= MOST_BYTES + 48


def test_the_last_usage_counts_where_each_event_has_one() -> None:
    running = b"".join(b'data: {"usage":{"prompt_tokens":7,"completion_tokens":%d}}\n\n' % n for n in range(1, 2_000))
    assert tail_of(running, 300).usage() == Usage(7, 1_999, None)
    assert tail_of(TOKEN + USAGE + b'data: {"debug":"' + b"z" * 70_000 + b'"}\n\n' + DONE, 900).usage() == Usage(7, 3)


@pytest.mark.parametrize("newline", _LINE_ENDS)
@pytest.mark.parametrize("name", sorted(set(ERRORS) - {"an event without a space"}))  # of which the first line tells
def test_an_error_before_the_end_mark_is_told_as_far_back_as_lines_are_read(name: str, newline: bytes) -> None:
    error = ERRORS[name].replace(DONE, b"").rstrip(b"\n").splitlines()[-1:]
    for behind in range(40):
        body = b"\n".join([TOKEN.strip()] * 3 + error + [b": ping"] * behind + [b"data: [DONE]", b""])
        assert end_of(body.replace(b"\n", newline)) == ("error" if behind < 23 else "complete")
