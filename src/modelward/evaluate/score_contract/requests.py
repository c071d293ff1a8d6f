"""Exchanges as requests of score/v1: records of at most 64 a request and 1 MB."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelward.api.exchange import Exchange
from modelward.api.score_service import Sends
from modelward.evaluate.score_contract import CONTRACT, MAX_BODY_BYTES, MAX_RECORDS
from modelward.privacy.redaction import redact


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """The body of one POST and the ids in it, in order."""

    body: bytes
    ids: tuple[str, ...]


def record(exchange: Exchange, sends: Sends) -> dict[str, Any]:
    """Return one exchange as a record; text that was captured as it is, is masked here.

    `group` is the keyed hash of its conversation, `attrs` what is known without text.
    """
    with_text = sends == "Redacted"
    return {
        "id": exchange.id,
        "kind": "traffic",
        "messages": [
            {"role": one.role, "content": _masked(exchange, one.text)} for one in exchange.messages if with_text
        ],
        "response": _masked(exchange, exchange.response) if with_text else "",
        "context": [],
        "expected": None,
        "group": exchange.conversation,
        "attrs": _attrs(exchange),
    }


def _masked(exchange: Exchange, text: str) -> str:
    return redact(text).text if exchange.content == "Full" else text


def _attrs(exchange: Exchange) -> dict[str, Any]:
    known = {
        "model": exchange.model,
        "operation": exchange.operation,
        "finishReason": exchange.finish_reason,
        "timeMs": exchange.time_ms,
        "durationMs": exchange.timings.duration_ms,
        "firstTokenMs": exchange.timings.first_token_ms,
        "inputTokens": exchange.usage.input_tokens,
        "outputTokens": exchange.usage.output_tokens,
        "truncated": exchange.truncated,
    }
    return {name: value for name, value in known.items() if value is not None and value != ""}


def requests(
    evaluator: str, config: Mapping[str, Any], exchanges: Sequence[Exchange], sends: Sends
) -> Iterator[ScoreRequest]:
    """Yield requests that hold every exchange once; one whose id came before, or that is too large, is in none."""
    head = json.dumps({"contract": CONTRACT, "evaluator": evaluator, "config": dict(config)})[:-1] + ', "records": ['
    room = MAX_BODY_BYTES - len(head) - 2
    ids: list[str] = []
    rows: list[str] = []
    size, seen = 0, set[str]()
    for exchange in exchanges:
        row = json.dumps(record(exchange, sends))  # ASCII: as many bytes as characters, lone surrogates included
        if exchange.id in seen or len(row) > room:
            continue
        seen.add(exchange.id)
        if rows and (len(rows) == MAX_RECORDS or size + len(row) > room):
            yield _request(head, rows, ids)
            ids, rows, size = [], [], 0
        ids.append(exchange.id)
        rows.append(row)
        size += len(row) + 1
    if rows:
        yield _request(head, rows, ids)


def _request(head: str, rows: Sequence[str], ids: Sequence[str]) -> ScoreRequest:
    return ScoreRequest(f"{head}{','.join(rows)}]}}".encode("ascii"), tuple(ids))
