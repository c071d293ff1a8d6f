"""Reading what a collector posts without trusting it: bounded in bytes, lines and times."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import orjson
import zstandard

from modelward.api.exchange import Exchange, ended_ms, exchange_from_json, exchange_to_json
from modelward.hub.errors import HubError, bad_request, too_large
from modelward.hub.layout import is_endpoint
from modelward.hub.rules import Rules, limited
from modelward.hub.settings import Limits
from modelward.privacy.identifiers import exchange_id, is_conversation_key
from modelward.privacy.short_fields import plain_caller_name

Rejection = Literal["malformed", "too_long", "not_yours", "unknown_endpoint", "not_captured", "future"]
CHUNK_BYTES = 256 << 10
MAX_WINDOW_BYTES = 8 << 20
"""Memory that a zstd frame may ask its reader for; level 19 and lower stay within it."""
_UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError)
"""What a line of any content may raise: JSON that is none, and values that cannot be written again."""
FUTURE_MS = 10 * 60_000
"""How far a node's clock may be ahead."""


@dataclass(frozen=True, slots=True)
class Record:
    """One exchange, ready to be stored: a line of JSON without its newline; `time_ms` is when it ended."""

    endpoint: str
    time_ms: int
    line: bytes


@dataclass(slots=True)
class Batch:
    """What one request brought."""

    records: list[Record] = field(default_factory=list)
    rejected: Counter[Rejection] = field(default_factory=Counter)


def read_batch(
    body: bytes,
    encoding: str,
    limits: Limits,
    rules: Rules,
    now_ms: int,
    may_post: Callable[[str], bool],
    key: bytes | None = None,
    admits: Callable[[str], bool] = lambda _: True,
) -> Batch:
    """Decode, check and limit the lines; `may_post(namespace)` says whose they may be, `admits(endpoint)` of what.

    With a `key` an id that no engine made is replaced by its keyed hash, since older collectors send it as it was.

    A bad line is rejected and counted, a bad body raises HubError (400 not zstd, 413 too large, 415 encoding). Lines
    are counted before they are taken apart: a few hundred bytes of zstd can hold millions of them.
    """
    batch = Batch()
    for line in lines_of(body, encoding, limits):
        if len(line) > limits.line_bytes:
            batch.rejected["too_long"] += 1
        elif line.strip():
            _take(line, batch, rules, now_ms, may_post, key, admits)
    return batch


def _take(
    line: bytes,
    batch: Batch,
    rules: Rules,
    now_ms: int,
    may_post: Callable[[str], bool],
    key: bytes | None,
    admits: Callable[[str], bool],
) -> None:
    try:
        exchange = _named(exchange_from_json(orjson.loads(line)), key)
        verdict = _rejection(exchange, now_ms, may_post)
        rule = rules.of(exchange.endpoint)
        erased = any(mark.refuses(exchange) for mark in rule.erased)
        kept = None if verdict or erased else limited(exchange, rule, now_ms)
        if kept and not admits(kept.endpoint):
            verdict = "unknown_endpoint"
        if verdict or kept is None:
            batch.rejected[verdict or "not_captured"] += 1
            return
        at_ms = ended_ms(kept.time_ms, kept.timings.duration_ms)
        batch.records.append(Record(kept.endpoint, at_ms, orjson.dumps(exchange_to_json(kept))))
    except _UNREADABLE:
        batch.rejected["malformed"] += 1


def _named(exchange: Exchange, key: bytes | None) -> Exchange:
    if key is None or not exchange.id:
        return exchange
    known = is_conversation_key(exchange.conversation)
    return replace(
        exchange,
        id=exchange_id(exchange.id, key),
        conversation=exchange.conversation if known else "",
        caller=plain_caller_name(exchange.caller) if exchange.caller else "",
    )


def _rejection(exchange: Exchange, now_ms: int, may_post: Callable[[str], bool]) -> Rejection | None:
    if not is_endpoint(exchange.endpoint) or not exchange.id or exchange.time_ms < 0:
        return "malformed"
    if not may_post(exchange.namespace):
        return "not_yours"
    at_ms = ended_ms(exchange.time_ms, exchange.timings.duration_ms)
    return "future" if at_ms > now_ms + FUTURE_MS else None


def lines_of(body: bytes, encoding: str, limits: Limits) -> Iterator[bytes]:
    """Yield the lines; one that is too long is yielded as its first part, once."""
    rest, skipping, total, lines = b"", False, 0, 0
    for chunk in chunks_of(body, encoding):
        total, lines = total + len(chunk), lines + chunk.count(b"\n")
        if total > limits.decompressed_bytes:
            raise too_large(f"more than {limits.decompressed_bytes} bytes after decompression; send smaller batches")
        if lines > limits.batch_lines:
            raise too_large(f"more than {limits.batch_lines} lines; send smaller batches")
        *whole, rest = (rest + chunk).split(b"\n")
        if skipping and whole:
            whole, skipping = whole[1:], False
        yield from whole
        if skipping:
            rest = b""
        elif len(rest) > limits.line_bytes:
            yield rest
            rest, skipping = b"", True
    if not skipping:
        yield rest


def chunks_of(body: bytes, encoding: str) -> Iterator[bytes]:
    """Yield a body as it was before it was compressed; HubError 400 when it is not zstd, 415 for other codings."""
    if encoding in ("", "identity"):
        yield body
        return
    if encoding != "zstd":
        raise HubError(415, "UnsupportedEncoding", f"send Content-Encoding: zstd, not {encoding}")
    reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).stream_reader(
        io.BytesIO(body), read_across_frames=True
    )
    try:
        while chunk := reader.read(CHUNK_BYTES):
            yield chunk
    except zstandard.ZstdError as error:
        raise bad_request(f"the body is not zstd: {error}") from error
