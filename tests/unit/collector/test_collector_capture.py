"""What is kept, within which bounds, and what of it leaves the pod."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import tracemalloc
from collections import Counter
from dataclasses import replace
from typing import cast

import pytest
import zstandard
from collector_rig import CHAT, DONE, ROLE, STREAM_HEAD, TOKEN, USAGE, chunk, json_answer, post, rig, run

from modelward.api.collector_config import CaptureSettings, CollectorConfig, config_from_json, config_to_json
from modelward.api.exchange import Message, Redaction, Timings, Usage, exchange_to_json
from modelward.collector import families
from modelward.collector.capture import CaptureGate
from modelward.collector.channel import new_channel
from modelward.collector.handover import CapturedExchange, receive, send
from modelward.collector.memory_budget import MemoryBudget, budget_bytes
from modelward.collector.metrics_recorder import MetricsRecorder
from modelward.collector.record import ExchangeRecorder
from modelward.collector.request_head import RequestHead
from modelward.collector.shared_metrics import SharedMetrics, new_board_fd
from modelward.collector.transcript import MAX_DECODED_BYTES, answer_in, decoded, question_in
from modelward.privacy.identifiers import hashed

KEY = b"k" * 32
ALL = CaptureSettings(content="Redacted", sample_ppm=1_000_000)


def config(capture: CaptureSettings) -> CollectorConfig:
    return CollectorConfig(generation="abc", capture=capture, hub_url="https://hub")


async def _stream(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM_HEAD + b"".join(map(chunk, (ROLE, TOKEN, TOKEN, USAGE, DONE))) + b"0\r\n\r\n")


async def _large(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(json_answer(b"x" * 200_000))


async def _failing(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(json_answer(b"{}", b"500 Error" if b"bad" in body else b"200 OK"))


def test_a_sampled_stream_arrives_at_the_worker_whole() -> None:
    async def work() -> None:
        async with rig(_stream, config(ALL)) as one:
            await one.ask(CHAT)
            parcel = receive(one.worker_end, one.board.cell(families.TAKEN_BYTES))
            assert parcel is not None
            assert parcel.response == ROLE + TOKEN + TOKEN + USAGE + DONE
            assert parcel.request == CHAT.partition(b"\r\n\r\n")[2]
            assert (parcel.model, parcel.operation, parcel.usage) == ("m", "chat", Usage(7, 3))
            assert parcel.inclusion == 1.0
            assert not parcel.truncated

    run(work())


def test_large_bodies_are_handed_over_too_and_cut_at_their_limit() -> None:
    async def work() -> None:
        for limit, truncated in ((262_144, False), (150_000, True)):
            async with rig(_large, config(CaptureSettings("Redacted", 1_000_000, max_body_bytes=limit))) as one:
                await one.ask(CHAT)
                parcel = receive(one.worker_end, one.board.cell(families.TAKEN_BYTES))
                assert parcel is not None
                assert len(parcel.response) == min(200_000, limit)
                assert parcel.truncated is truncated

    run(work())


def test_errors_are_kept_with_certainty_beside_a_sample() -> None:
    async def work() -> None:
        async with rig(_failing, config(CaptureSettings("Redacted", 0, always_errors=True))) as one:
            await one.ask(post(b'"good"'))
            await one.ask(post(b'"bad"'))
            parcel = receive(one.worker_end, one.board.cell(families.TAKEN_BYTES))
            assert parcel is not None
            assert (parcel.status, parcel.inclusion) == (500, 1.0)
            assert one.value(families.CAPTURED) == 1

    run(work())


def test_a_conversation_is_kept_as_a_whole_or_not_at_all_at_about_the_rate() -> None:
    async def work() -> None:
        async with rig(_failing, config(CaptureSettings("Redacted", 300_000))) as one:
            for number in range(60):
                before = one.value(families.CAPTURED)
                for _ in range(2):
                    await one.ask(post(b"{}", more=b"x-conversation-id: c%d\r\n" % number))
                assert one.value(families.CAPTURED) - before in (0, 2)
            assert 8 <= one.value(families.CAPTURED) / 2 <= 30

    run(work())


@pytest.mark.parametrize("content", ["None"])
def test_nothing_is_kept_where_no_content_is_allowed(content: str) -> None:
    async def work() -> None:
        async with rig(_stream, config(CaptureSettings("None", 1_000_000))) as one:
            await one.ask(CHAT)
            assert one.value(families.CAPTURED) == 0

    run(work())


def test_a_worker_that_does_not_read_costs_exchanges_and_no_request() -> None:
    async def work() -> None:
        async with rig(_large, config(ALL)) as one:
            for _ in range(250):
                assert (await one.ask(CHAT)).endswith(b"x")
            dropped = one.value(families.DROPPED, reason="budget") + one.value(families.DROPPED, reason="worker_busy")
            assert dropped > 50
            assert one.value(families.CAPTURED) + dropped == 250
            held = one.board.cell(families.HANDED_BYTES)[0]
            assert held <= 33 * 1024 * 1024

    run(work())


def test_what_a_worker_took_and_lost_counts_against_the_budget_only_until_the_next_exchange() -> None:
    sender, receiver = new_channel()
    taken = SharedMetrics(new_board_fd("test")).cell(families.TAKEN_BYTES)
    for handed, body in ((10.0, b"x" * 10), (210_010.0, b"y" * 210_000), (210_011.0, b"z")):
        send(sender, _parcel(body, b""), handed)
    receiver.recv(262_144)  # a worker that died after it took this one
    assert receive(receiver, taken) is not None
    assert taken[0] == 210_010
    sender.send(b"\0\0\0\2{}")
    send(sender, _parcel(b"w", b""), 210_013.0)
    assert receive(receiver, taken) is not None
    with pytest.raises(KeyError):
        receive(receiver, taken)
    assert receive(receiver, taken) is not None
    assert taken[0] == 210_013
    sender.close()
    receiver.close()


def test_in_a_small_container_as_little_is_held_as_its_budget_allows() -> None:
    board = SharedMetrics(new_board_fd("test"))
    channel, worker_end = new_channel()
    cells = board.cell(families.HANDED_BYTES), board.cell(families.TAKEN_BYTES)
    budget = MemoryBudget(budget_bytes(80 * 1024 * 1024))
    gate = CaptureGate(MetricsRecorder(board, "r1"), channel, *cells, to_file=True, budget=budget)
    gate.configure(config(ALL))
    head = RequestHead(CHAT.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    for _ in range(40):
        captured = gate.begin(head)
        assert captured is not None
        captured.add_request(b"x" * 250_000)
    channel.close()
    worker_end.close()
    assert 3_500_000 <= budget.held <= 4 * 1024 * 1024


def test_what_is_held_only_in_case_it_fails_makes_way_for_what_is_kept() -> None:
    async def work() -> None:
        async with rig(_failing, config(CaptureSettings("Redacted", 1, always_errors=True))) as one:
            gate, head = one.proxy.gate, RequestHead(CHAT.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
            waiting = []
            for _ in range(140):  # long prompts in the engine's queue, none of them in the sample
                captured = gate.begin(head)
                assert captured is not None
                captured.add_request(b"x" * 250_000)
                captured.request_known(b"{}")
                waiting.append(captured)
            await one.ask(post(b'{"bad":"' + b"y" * 250_000 + b'"}'))
            failed = receive(one.worker_end, one.board.cell(families.TAKEN_BYTES))
            assert failed is not None
            assert (failed.status, len(failed.request)) == (500, 250_010)
            gate.end(waiting[0], "chat", "m", 500, "error", Usage(), Timings(5.0))
            evicted = receive(one.worker_end, one.board.cell(families.TAKEN_BYTES))
            assert evicted is not None
            assert (evicted.request, evicted.truncated) == (b"", True), "kept all the same, without its text"
            for captured in waiting[1:]:
                gate.end(captured, "chat", "m", 200, "ok", Usage(), Timings(5.0))
            assert gate._held == 0
            assert not gate._in_case

    run(work())


def test_what_is_in_no_sample_and_can_be_kept_for_nothing_else_is_not_held() -> None:
    async def work() -> None:
        async with rig(_failing, config(CaptureSettings("Redacted", 1))) as one:
            captured = one.proxy.gate.begin(RequestHead(CHAT.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"))
            assert captured is not None
            captured.add_request(b"x" * 1_000)
            captured.request_known(b"{}")
            assert one.proxy.gate._held == 0

    run(work())


def test_an_exchange_whose_hand_over_fails_gives_its_part_of_the_budget_back() -> None:
    async def work() -> None:
        async with rig(_large, config(ALL)) as one:
            one.proxy.gate._channel = cast("socket.socket", object())
            for _ in range(3):
                assert (await one.ask(CHAT)).endswith(b"x")
            assert one.proxy.gate._held == 0
            assert one.value(families.OBSERVER_ERRORS) == 3

    run(work())


def _parcel(
    request: bytes, response: bytes, content_type: str = "application/json", **changes: object
) -> CapturedExchange:
    fields: dict[str, object] = {
        "time_ms": 1, "operation": "chat", "model": "m", "status": 200, "outcome": "ok", "inclusion": 0.5,
        "truncated": False, "conversation": "", "content_type": content_type, "request_encoding": "",
        "response_encoding": "", "usage": Usage(), "timings": Timings(5.0), "request": request, "response": response,
    }  # fmt: skip
    return CapturedExchange(**{**fields, **changes})  # type: ignore[arg-type]


REQUEST = json.dumps(
    {"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "I am ann@example.org"}]}
).encode()
RESPONSE = json.dumps(
    {
        "id": "r-1",
        "choices": [{"message": {"content": "Hi ann@example.org, ask bob@example.org"}, "finish_reason": "stop"}],
    }
).encode()


def test_what_is_redacted_is_counted_by_kind_subject_and_echo() -> None:
    exchange = ExchangeRecorder("ns/chat", "r1").record(_parcel(REQUEST, RESPONSE), "Redacted", KEY)
    assert exchange.messages == (Message("system", "be kind"), Message("user", "I am [EMAIL]"))
    assert exchange.response == "Hi [EMAIL], ask [EMAIL]"
    assert exchange.redactions == (
        Redaction("EMAIL", 1, "prompt"),
        Redaction("EMAIL", 1, "response"),
        Redaction("EMAIL", 1, "response", echoed=True),
    )
    assert (exchange.finish_reason, exchange.endpoint) == ("stop", "ns/chat")


def test_metadata_only_holds_no_text_and_full_holds_all() -> None:
    recorder = ExchangeRecorder("ns/chat", "r1")
    bare = recorder.record(_parcel(REQUEST, RESPONSE), "MetadataOnly", KEY)
    assert (bare.messages, bare.response, bare.redactions) == ((), "", ())
    assert recorder.record(_parcel(REQUEST, RESPONSE), "Full", KEY).response.endswith("bob@example.org")


def test_turns_of_one_conversation_share_a_key_that_depends_on_the_secret() -> None:
    recorder = ExchangeRecorder("ns/chat", "r1")
    later = json.loads(REQUEST)
    later["messages"] += [{"role": "assistant", "content": "hi"}, {"role": "user", "content": "more"}]
    one = recorder.record(_parcel(REQUEST, RESPONSE), "Redacted", KEY).conversation
    assert one == recorder.record(_parcel(json.dumps(later).encode(), RESPONSE), "Redacted", KEY).conversation
    assert one != recorder.record(_parcel(REQUEST, RESPONSE), "Redacted", b"o" * 32).conversation


ENGINES = "chatcmpl-b8f7c9a0d1e24f3a9b5c6d7e8f901a2b"


def _answering(name: str) -> bytes:
    return json.dumps({"id": name, "choices": [{"message": {"content": "hi"}}]}).encode()


def test_an_id_leaves_as_it_is_only_where_the_engine_made_it_and_nothing_in_it_is_the_clients() -> None:
    recorder = ExchangeRecorder("ns/chat", "r1")
    core = ENGINES.partition("-")[2]
    echoed = json.dumps({"rid": core, "messages": [{"role": "user", "content": "x"}]}).encode()
    typed = "chatcmpl-ann@example.org"
    for content in ("MetadataOnly", "Redacted", "Full"):
        assert recorder.record(_parcel(REQUEST, _answering(ENGINES)), content, KEY).id == ENGINES
        for parcel in (
            _parcel(REQUEST, _answering(typed)),
            _parcel(echoed, _answering(ENGINES)),
            _parcel(gzip.compress(echoed), _answering(ENGINES), request_encoding="gzip"),
            _parcel(REQUEST, _answering(ENGINES), client_ids=f"other\n{core}\n"),
        ):
            one = recorder.record(parcel, content, KEY)
            original = typed if b"@" in parcel.response else ENGINES
            assert one.id == f"mwh-{hashed(original, KEY, 'exchange')}"
            assert recorder.record(parcel, content, None).id.startswith("mw-")


def test_without_a_key_no_conversation_is_named_whatever_the_configuration_says() -> None:
    old = config_to_json(config(ALL)) | {"conversationKey": "00ff"}
    assert config_from_json(old) == replace(config(ALL), generation=config_to_json(config(ALL))["generation"])
    assert ExchangeRecorder("ns/chat", "r1").record(_parcel(REQUEST, RESPONSE), "Redacted", None).conversation == ""


def test_the_ids_that_a_client_gives_its_request_reach_the_worker() -> None:
    async def work() -> None:
        async with rig(_stream, config(ALL)) as one:
            await one.ask(CHAT.replace(b"\r\n", b"\r\nX-Request-Id: ann@example.org\r\n", 1))
            parcel = receive(one.worker_end, one.board.cell(families.TAKEN_BYTES))
            assert parcel is not None
            assert parcel.client_ids == "ann@example.org\n"

    run(work())


def test_strange_bodies_become_records_without_text() -> None:
    recorder = ExchangeRecorder("ns/chat", "r1")
    for body in (b"", b"{", b"[1]", b"null", b'{"messages":5}', b'{"messages":[{"content":{"a":[1]}}]}', b"\xff"):
        for kind in ("application/json", "text/event-stream", "text/plain"):
            assert recorder.record(_parcel(body, body, kind), "Redacted", None).id


def test_answers_of_each_api_are_read() -> None:
    events = b"".join((ROLE, TOKEN, b"data: {broken\n\n", TOKEN, USAGE, DONE))
    assert answer_in(events, "text/event-stream").text == "toktok"
    assert answer_in(events.replace(b"\n", b"\r\n"), "text/event-stream").text == "toktok"
    assert answer_in(events.replace(b"\n", b"\r"), "text/event-stream").text == "toktok"
    assert answer_in(events, "text/plain").text == "toktok"
    stopped = b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}\n\n'
    assert answer_in(stopped, "text/event-stream").finish_reason == "end_turn"
    ollama = b'{"message":{"content":"a"}}\n{"message":{"content":"b"},"done":true,"done_reason":"stop"}\n'
    assert answer_in(ollama, "application/x-ndjson").text == "ab"
    assert (
        answer_in(b'{"choices":[{"text":"x","finish_reason":"length"}]}', "application/json").finish_reason == "length"
    )
    responses = b'event: x\ndata: {"type":"response.output_text.delta","delta":"hi"}\n\n'
    assert answer_in(responses, "text/event-stream").text == "hi"
    claude = b'{"id":"msg","type":"message","content":[{"type":"text","text":"yo"}],"stop_reason":"end_turn"}'
    assert answer_in(claude, "application/json").text == "yo"
    tool = b'{"choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}}]}'
    assert "f({})" in answer_in(tool, "application/json").text


def test_questions_of_each_api_are_read() -> None:
    parts = b'{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{}}]}]}'
    assert question_in(parts).messages == (Message("user", "a"),)
    assert question_in(b'{"prompt":"p","session_id":"s"}').conversation == "s"
    assert question_in(b'{"input":["a","b"]}').messages == (Message("user", "a"), Message("user", "b"))
    assert question_in(b'{"instructions":"i","input":[{"role":"user","content":"u"}]}').messages[1] == Message(
        "user", "u"
    )


def test_compressed_bodies_are_read_even_when_cut_short() -> None:
    packed = gzip.compress(b"abc" * 10_000)
    assert decoded(packed, "gzip") == b"abc" * 10_000
    assert decoded(packed[:-12], "gzip").startswith(b"abc")
    with pytest.raises(ValueError, match="br"):
        decoded(b"x", "br")


def test_counting_is_of_values_not_of_kinds() -> None:
    exchange = ExchangeRecorder("a/b", "").record(_parcel(b'{"prompt":"a@b.org c@d.org"}', b"{}"), "Redacted", None)
    assert Counter({r.kind: r.count for r in exchange.redactions}) == Counter(EMAIL=2)


def test_a_compressed_body_takes_no_more_memory_than_is_read_of_it() -> None:
    for compress, coding in ((gzip.compress, "gzip"), (zstandard.ZstdCompressor().compress, "zstd")):
        bomb = compress(bytes(96 << 20))
        tracemalloc.start()
        try:
            assert len(decoded(bomb, coding)) == MAX_DECODED_BYTES
            assert tracemalloc.get_traced_memory()[1] < 3 * MAX_DECODED_BYTES
        finally:
            tracemalloc.stop()
    vast = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=27)).compressobj()
    with pytest.raises(ValueError, match="zstd"):
        decoded(vast.compress(b"x" * 100_000) + vast.flush(), "zstd")


def test_no_field_that_a_caller_or_server_fills_carries_personal_data_out_even_as_metadata() -> None:
    mail = "ann@example.org"
    request = json.dumps({"model": f"m {mail}", "messages": [{"role": f"user {mail}", "content": "x"}]}).encode()
    response = json.dumps({"choices": [{"message": {"content": "y"}, "finish_reason": mail}]}).encode()
    for content in ("MetadataOnly", "Redacted"):
        exchange = ExchangeRecorder("ns/chat", "r1").record(_parcel(request, response, model=""), content, KEY)
        assert mail not in json.dumps(exchange_to_json(exchange))
        assert (exchange.model, exchange.finish_reason) == ("other", "other")


def test_a_model_name_with_personal_data_gets_no_label() -> None:
    async def work() -> None:
        async with rig(_failing, config(ALL)) as one:
            await one.ask(post(b'{"model":"m ann@example.org"}'))
            assert not [key for key, _ in one.board.read() if any("ann" in label for label in key[1])]

    run(work())


def test_values_in_the_arguments_of_a_tool_call_are_masked() -> None:
    arguments = json.dumps({"body": "Dear,\n4111 1111 1111 1111\n\t536-90-4399\nAKIAIOSFODNN7EXAMPLE"})
    call = {"id": "1", "type": "function", "function": {"name": "send", "arguments": arguments}}
    response = json.dumps({"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}]})
    exchange = ExchangeRecorder("ns/chat", "r1").record(_parcel(REQUEST, response.encode()), "Redacted", KEY)
    assert exchange.response == '\nsend({"body": "Dear,\\n[CARD]\\n\\t[US_SSN]\\n[API_KEY]"})'
