"""A scripted OpenAI-compatible engine for tests and load demos: no model, answers by rule, at a pace that you set.

It streams server-sent events, reports usage, holds at most `--concurrency` requests at once (the others wait, as in a
real engine) and exports /metrics in the dialect of vLLM or llama.cpp. `--mode refuse-off-topic` answers what contains
one of the keywords and refuses the rest.
"""

import argparse
import asyncio
import json
import re
import signal
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import engine_metrics

ANSWER = (
    "You can do that in the app: open Cards, choose the card, and follow the steps on the screen. "
    "If anything looks wrong there, lock the card at once and call the number on its back; we answer day and night."
)
REFUSAL = "I'm sorry, but I can only help with questions about your bank account, cards, payments and transfers."
MAX_BODY_BYTES = 4 << 20


class Engine:
    """State of the scripted engine: who is served, who waits, and how much was done."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.slots = asyncio.Semaphore(options.concurrency)
        self.leaving = False
        self.connections: set[asyncio.StreamWriter] = set()
        self.idle: set[asyncio.StreamWriter] = set()
        """Those of the connections that are between two requests."""
        self.counters = engine_metrics.Counters(model=options.alias, slots=options.concurrency)
        words = [line.strip().lower() for line in options.keywords.read_text().splitlines()]
        self.keywords = re.compile(
            "|".join(rf"\b{re.escape(word)}" for word in words if word and not word.startswith("#"))
        )

    def reply(self, messages: list[dict[str, Any]]) -> str:
        """What the mode says to the last question."""
        question = next((_text(m.get("content")) for m in reversed(messages) if m.get("role") == "user"), "")
        refuses = self.options.mode == "refuse-all" or (
            self.options.mode == "refuse-off-topic" and not self.keywords.search(question.lower())
        )
        return REFUSAL if refuses else ANSWER

    async def tokens(self, prompt_tokens: int, words: list[str]) -> AsyncIterator[str]:
        """Yield the answer's tokens at the set pace, once a slot is free."""
        counters = self.counters
        counters.waiting += 1
        arrived = time.monotonic()
        try:
            await self.slots.acquire()
        finally:
            counters.waiting -= 1
        counters.running += 1
        try:
            await asyncio.sleep(self.options.first_token_ms / 1000)
            counters.started(prompt_tokens, time.monotonic() - arrived)
            for word in words:
                yield word
                counters.generated += 1
                await asyncio.sleep(1 / self.options.tokens_per_second)
            counters.finished += 1
        finally:
            counters.running -= 1
            self.slots.release()


def _text(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


async def serve(engine: Engine) -> None:
    """Listen until SIGTERM; then finish what is in flight, for `--finish-seconds` at most."""
    stop = asyncio.Event()
    for end in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(end, stop.set)
    server = await asyncio.start_server(
        lambda reader, writer: _connection(engine, reader, writer), engine.options.host, engine.options.port
    )
    address = server.sockets[0].getsockname()
    print(f"listening address={address[0]}:{address[1]} mode={engine.options.mode}", flush=True)
    await stop.wait()
    server.close()
    engine.leaving = True
    for writer in engine.idle:
        writer.close()
    deadline = time.monotonic() + engine.options.finish_seconds
    while len(engine.connections) > len(engine.idle) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def _connection(engine: Engine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    engine.connections.add(writer)
    try:
        while await _one_request(engine, reader, writer):
            pass
    except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
        pass  # the client went away: nothing to tell it
    finally:
        engine.connections.discard(writer)
        writer.close()


async def _one_request(engine: Engine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    engine.idle.add(writer)
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    finally:
        engine.idle.discard(writer)
    method, path, _ = head.split("\r\n", 1)[0].split(" ")
    headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in head.split("\r\n")[1:])}
    body = await reader.readexactly(min(int(headers.get("content-length") or 0), MAX_BODY_BYTES))
    path = path.partition("?")[0]
    if method == "POST" and path in ("/v1/chat/completions", "/v1/completions"):
        await _complete(engine, path, json.loads(body or b"{}"), writer)
    elif path == "/metrics":
        _answer(writer, engine_metrics.render(engine.counters, engine.options.dialect), "text/plain; version=0.0.4")
    elif path in ("/health", "/healthz", "/ping"):
        _answer(writer, json.dumps({"status": "ok"}))
    elif path == "/v1/models":
        _answer(writer, json.dumps({"object": "list", "data": [{"id": engine.options.alias, "object": "model"}]}))
    else:
        _answer(writer, json.dumps({"error": {"message": f"no {path} here"}}), status="404 Not Found")
    await writer.drain()
    return not engine.leaving and headers.get("connection", "").lower() != "close"


async def _complete(engine: Engine, path: str, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    chat = path.endswith("/chat/completions")
    messages = request.get("messages") or [{"role": "user", "content": request.get("prompt", "")}]
    prompt_tokens = sum(len(_text(message.get("content")).split()) for message in messages)
    limit = request.get("max_completion_tokens") or request.get("max_tokens") or 1 << 30
    words = re.findall(r"\S+\s*", engine.reply(messages))[: int(limit)]
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": len(words),
        "total_tokens": prompt_tokens + len(words),
    }
    engine.counters.requests += 1
    common = {"id": f"scripted-{engine.counters.requests}", "created": int(time.time()), "model": engine.options.alias}
    if request.get("stream"):
        wants_usage = bool((request.get("stream_options") or {}).get("include_usage"))
        await _stream(engine, writer, common, words, usage, chat=chat, wants_usage=wants_usage)
        return
    text = "".join([word async for word in engine.tokens(prompt_tokens, words)])
    said = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    choice = {"index": 0, **said, "finish_reason": "stop"}
    kind = "chat.completion" if chat else "text_completion"
    _answer(writer, json.dumps({**common, "object": kind, "choices": [choice], "usage": usage}))


async def _stream(
    engine: Engine,
    writer: asyncio.StreamWriter,
    common: dict[str, Any],
    words: list[str],
    usage: dict[str, int],
    *,
    chat: bool,
    wants_usage: bool,
) -> None:
    kind = "chat.completion.chunk" if chat else "text_completion"
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")

    async def event(choices: list[dict[str, Any]], **more: Any) -> None:
        line = f"data: {json.dumps({**common, 'object': kind, 'choices': choices, **more})}\n\n".encode()
        writer.write(b"%x\r\n%s\r\n" % (len(line), line))
        await writer.drain()

    def choice(said: dict[str, str], finish: str | None = None) -> list[dict[str, Any]]:
        return [
            {"index": 0, **({"delta": said} if chat else {"text": said.get("content", "")}), "finish_reason": finish}
        ]

    if chat:
        await event(choice({"role": "assistant", "content": ""}))
    async for word in engine.tokens(usage["prompt_tokens"], words):
        await event(choice({"content": word}))
    await event(choice({}, "stop"))
    if wants_usage:
        await event([], usage=usage)
    writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


def _answer(writer: asyncio.StreamWriter, text: str, kind: str = "application/json", status: str = "200 OK") -> None:
    body = text.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What a test may want to set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mode", choices=("answer", "refuse-off-topic", "refuse-all"), default="answer")
    parser.add_argument("--tokens-per-second", type=float, default=200.0, help="pace of each request")
    parser.add_argument("--first-token-ms", type=float, default=20.0, help="time before the first token, once served")
    parser.add_argument("--concurrency", type=int, default=4, help="requests served at once; further ones wait")
    parser.add_argument("--finish-seconds", type=float, default=0.0, help="time for what is in flight on SIGTERM")
    parser.add_argument(
        "--dialect", choices=("llamacpp", "vllm"), default="llamacpp", help="names of the exported metrics"
    )
    parser.add_argument("--keywords", type=Path, default=Path(__file__).with_name("keywords.txt"))
    parser.add_argument("--alias", default="banking-bot", help="name of the model")
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=8080, help="0: any free one, printed at the start")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    asyncio.run(serve(Engine(options())))
