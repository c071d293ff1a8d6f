"""Events are counted and the first token is found however a stream ends its lines and however it is cut."""

from __future__ import annotations

import json

import pytest
from collector_rig import DONE, ROLE, TOKEN, USAGE
from hypothesis import given
from hypothesis import strategies as st

from modelward.collector.stream_events import StreamEvents

CHAT_EVENTS = (ROLE, TOKEN, TOKEN, USAGE, DONE)
_LINE_ENDS = st.sampled_from((b"\n", b"\r\n", b"\r"))


def counted(body: bytes, step: int, *, lines: bool = False) -> tuple[int, int]:
    """Return the number of events, and how many bytes had come when the first token was seen, -1 if never."""
    stream, events, seen = StreamEvents(lines=lines), 0, -1
    for start in range(0, len(body), step):
        events += stream.take(body[start : start + step])
        if stream.token_seen and seen < 0:
            seen = min(start + step, len(body))
    return events, seen


@given(_LINE_ENDS, st.integers(1, 500), st.integers(0, 3))
def test_events_are_counted_whatever_their_line_ends_and_cuts(newline: bytes, step: int, more: int) -> None:
    body = b"".join((ROLE, *[TOKEN] * (2 + more), USAGE, DONE)).replace(b"\n", newline)
    events, seen = counted(body, step)
    assert events == 5 + more
    token = len(ROLE.replace(b"\n", newline)) + TOKEN.index(b"tok")
    assert token < seen <= token + step


@given(st.integers(1, 200))
def test_json_lines_are_counted_like_events(step: int) -> None:
    word = b'{"model":"m","message":{"content":"Hi"},"done":false}\n'
    last = b'{"model":"m","message":{"content":""},"done":true}\n'
    assert counted(word * 3 + last, step, lines=True)[0] == 4


@given(st.integers(1, 30), st.sampled_from((100, 3_000, 40_000)))
def test_events_that_repeat_the_prompt_hold_no_token(kilobytes: int, step: int) -> None:
    prompt = {"instructions": [{"role": "system", "content": "You are a bank. " * 64 * kilobytes}], "output": []}
    echoes = b"".join(
        b"event: response.%b\ndata: %b\n\n" % (name, json.dumps({"type": "x", "response": prompt}).encode())
        for name in (b"created", b"in_progress")
    )
    delta = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi"}\n\n'
    events, seen = counted(echoes + delta, step)
    assert events == 3
    assert seen > len(echoes)


@pytest.mark.parametrize("step", [1, 1_000, 2_000_000])
def test_a_token_longer_than_what_is_held_is_seen_at_its_beginning(step: int) -> None:
    event = b'data: {"padding":"' + b"p" * 9_000 + b'","content":"' + b"y" * 200_000 + b'"}\n\n'
    events, seen = counted(event[: 12_000 if step == 1 else len(event)], step)
    assert events == (0 if step == 1 else 1)
    assert seen >= event.index(b"yyy")
    assert seen - event.index(b"yyy") <= step


def test_a_stream_without_content_has_no_token() -> None:
    assert counted(ROLE + USAGE + DONE, 10) == (3, -1)
    assert counted(b": ping\n\n" * 5, 3) == (5, -1)
