"""The part of the HTTP API about scores of single exchanges: those of Jobs, and those that come from outside."""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson
from aiohttp import web

from modelward.api.kept_score import (
    MAX_EXPLANATION,
    KeptScore,
    imported_set,
    is_score_name,
    is_score_set,
    is_shown_set,
    kept_score_from_json,
    kept_score_to_json,
)
from modelward.hub.admission import caller_of, send
from modelward.hub.authorisation import Action, Caller
from modelward.hub.claims import Claims
from modelward.hub.errors import HubError, bad_request, too_large
from modelward.hub.ingest import FUTURE_MS, chunks_of, lines_of
from modelward.hub.keys import KeyRing
from modelward.hub.layout import ExchangeObject, hour_of, is_endpoint, namespace_of
from modelward.hub.metrics import HubMetrics
from modelward.hub.otlp_scores import rows_of
from modelward.hub.requests import UNREADABLE, Permit, body_of, json_answer, parsed_of
from modelward.hub.result_form import plain_label
from modelward.hub.scores import ScoreStore
from modelward.hub.settings import Limits
from modelward.hub.store import ExchangeStore
from modelward.privacy.identifiers import exchange_id, is_conversation_key
from modelward.privacy.redaction import redact

LOOKUP_IDS = 2_000
_LOOKUP_BYTES = 512 << 10
_LINE_BYTES = 4 << 10
_HOLDER_CHARACTERS = 64
ScoreFate = Literal["accepted", "malformed", "not_yours", "unknown_endpoint", "not_captured", "future", "too_many"]
Rows = dict[tuple[str, str], list[KeptScore]]
"""By endpoint and set."""


@dataclass(slots=True)
class ScoreApi:
    """The handlers and what they work on; `allows` says what a caller may do to a namespace, `permit` insists on it."""

    store: ExchangeStore
    scores: ScoreStore
    claims: Claims
    keys: KeyRing
    limits: Limits
    metrics: HubMetrics
    admits: Callable[[str], bool]
    allows: Callable[[Caller | None, Action, str], bool]
    permit: Permit

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_post("/v1/scores", self.post_scores)
        app.router.add_post("/v1/logs", self.post_logs)
        app.router.add_post("/v1/scores/{namespace}/{endpoint}/{set}/lookup", self.post_lookup)

    async def post_scores(self, request: web.Request) -> web.Response:
        """Store JSON lines of scores; 202 means stored, or counted as rejected."""
        caller, body = caller_of(request), await body_of(request, self.limits.body_bytes)
        encoding, limits = request.headers.get("Content-Encoding", ""), self.limits
        counted = await self._take(
            caller, lambda: (_line(one) for one in lines_of(body, encoding, limits) if one.strip())
        )
        accepted = counted["accepted"]
        return json_answer({"accepted": accepted, "rejected": counted.total() - accepted}, status=202)

    async def post_logs(self, request: web.Request) -> web.Response:
        """Store the scores among events of OpenTelemetry, as OTLP's JSON has them; 200 as OTLP has it."""
        if request.content_type != "application/json":
            told = "send OTLP as JSON: OTEL_EXPORTER_OTLP_PROTOCOL=http/json, or `encoding: json` in a collector"
            raise HubError(415, "UnsupportedEncoding", told)
        caller, body = caller_of(request), await body_of(request, self.limits.body_bytes)
        encoding, limits = request.headers.get("Content-Encoding", ""), self.limits
        namespace = caller.namespace if caller else ""
        counted = await self._take(
            caller, lambda: _bounded(rows_of(_loaded(_whole(body, encoding, limits)), namespace), limits)
        )
        rejected = counted.total() - counted["accepted"]
        return json_answer({"partialSuccess": {"rejectedLogRecords": str(rejected)}} if rejected else {})

    async def _take(self, caller: Caller | None, read: Callable[[], Iterable[Any]]) -> Counter[ScoreFate]:
        """Store rows; HubError when the store refuses, or what is read is too large."""
        key = await self.keys.newest(caller.namespace) if caller else None
        rows, counted = await asyncio.to_thread(self._sorted, read, caller, key)
        for where in [where for where, scores in rows.items() if not scores[0].record]:
            rows[where] = await self._located(where, rows[where], counted)
        for (endpoint, score_set), scores in rows.items():
            if not self.scores.admits(endpoint, score_set):
                counted["accepted"] -= len(scores)
                counted["too_many"] += len(scores)
                continue
            await self.scores.put(endpoint, score_set, scores)
            self.claims.release(endpoint, score_set, (one.id for one in scores))
        for outcome, number in counted.items():
            self.metrics.scores.labels(outcome).inc(number)
        return counted

    async def _located(
        self, where: tuple[str, str], scores: list[KeptScore], counted: Counter[ScoreFate]
    ) -> list[KeptScore]:
        """Return scores with the times and conversations of their exchanges, where those are kept.

        Windows in which they ended may have been judged, and are judged again; not for what a Job shows of its scores,
        or each judging would ask for the next.
        """
        endpoint, score_set = where
        known = await self.store.located(endpoint, {one.id for one in scores})
        found = [
            replace(one, time_ms=at.time_ms, conversation=at.conversation) if (at := known.get(one.id)) else one
            for one in scores
        ]
        kept = [one for one in found if self.scores.allows(endpoint, one)]
        counted["accepted"] -= len(found) - len(kept)
        counted["not_captured"] += len(found) - len(kept)
        ends = [at.ended_ms for at in known.values()]
        if kept and ends and not is_shown_set(score_set):
            item = ExchangeObject(endpoint, hour_of(min(ends)), min(ends), max(ends), len(ends), "")
            self.store.late.arrived(item, self.scores.clock_ms())
        return kept

    async def post_lookup(self, request: web.Request) -> web.Response:
        """Answer the scores that there are of some exchanges, and give the others to whoever asks."""
        namespace, score_set = request.match_info["namespace"], request.match_info["set"]
        await self.permit(request, "keep scores", namespace)
        endpoint = f"{namespace}/{request.match_info['endpoint']}"
        if not is_endpoint(endpoint) or not is_score_set(score_set):
            raise bad_request("not the names of a namespace, an endpoint and a set of scores")
        expected = "a lookup has ids, from_ms and to_ms"
        ids, holder, from_ms, to_ms = await parsed_of(request, _LOOKUP_BYTES, _lookup, expected)
        if len(ids) > LOOKUP_IDS or not 0 <= from_ms <= to_ms < 1 << 47:
            raise bad_request(f"at most {LOOKUP_IDS} ids, and from_ms before to_ms")
        # Claimed before they are searched for: what another Job stores meanwhile is then found, or still its own.
        busy = self.claims.claim(endpoint, score_set, ids, holder) if holder else []
        held = await self.scores.find(endpoint, score_set, from_ms, to_ms)
        found = [held[one] for one in ids if one in held]
        self.claims.release(endpoint, score_set, (one.id for one in found if one.id not in busy))
        busy = [one for one in busy if one not in held]
        body = {"scores": [kept_score_to_json(one) for one in found], "busy": busy}
        return await send(request, json_answer(body))

    def _sorted(
        self, read: Callable[[], Iterable[Any]], caller: Caller | None, key: bytes | None
    ) -> tuple[Rows, Counter[ScoreFate]]:
        rows: Rows = defaultdict(list)
        counted: Counter[ScoreFate] = Counter()
        for row in read():
            taken = self._taken(row, caller, key)
            if isinstance(taken, str):
                counted[taken] += 1
                continue
            where, score = taken
            counted["accepted"] += 1
            rows[where].append(score)
        return rows, counted

    def _taken(
        self, row: Any, caller: Caller | None, key: bytes | None
    ) -> tuple[tuple[str, str], KeptScore] | ScoreFate:
        """Return where a row's score belongs, with the score as it may be kept; or why it may not."""
        try:
            endpoint, own, now_ms = str(row["endpoint"]), "set" in row, self.scores.clock_ms()
            score = _plain(kept_score_from_json(row if own else {"time_ms": now_ms, **row}), key, own=own)
            score_set = str(row["set"]) if own else imported_set(*_names(row))
        except UNREADABLE:
            return "malformed"
        if not is_endpoint(endpoint) or not is_score_set(score_set):
            return "malformed"
        if not self.allows(caller, "keep scores" if own else "post scores", namespace_of(endpoint)):
            return "not_yours"
        if score.time_ms > now_ms + FUTURE_MS:
            return "future"
        if not self.admits(endpoint):
            return "unknown_endpoint"
        return ((endpoint, score_set), score) if self.scores.allows(endpoint, score) else "not_captured"


def _lookup(data: Any) -> tuple[list[str], str, int, int]:
    """Return the ids that are asked for, who asks, and from when to when their exchanges were."""
    holder = str(data.get("holder", ""))[:_HOLDER_CHARACTERS]
    return [str(one) for one in data["ids"]], holder, int(data["from_ms"]), int(data["to_ms"])


def _loaded(line: bytes) -> Any:
    """Return what JSON says; nothing where it is none."""
    try:
        return orjson.loads(line)
    except (ValueError, RecursionError):
        return None


def _line(line: bytes) -> Any:
    return _loaded(line) if len(line) <= _LINE_BYTES else None


def _whole(body: bytes, encoding: str, limits: Limits) -> bytes:
    """Return a body that is one JSON text; HubError 413 when it is too large, 415 for codings but gzip and zstd."""
    found = bytearray()
    for chunk in _gunzipped(body, limits) if encoding == "gzip" else chunks_of(body, encoding):
        found += chunk
        if len(found) > limits.decompressed_bytes:
            raise too_large(f"more than {limits.decompressed_bytes} bytes after decompression; send smaller batches")
    return bytes(found)


def _gunzipped(body: bytes, limits: Limits) -> Iterator[bytes]:
    try:
        yield zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, limits.decompressed_bytes + 1)
    except zlib.error as error:
        raise bad_request(f"the body is not gzip: {error}") from error


def _bounded(rows: Iterable[Any], limits: Limits) -> Iterator[Any]:
    for number, row in enumerate(rows):
        if number >= limits.batch_lines:
            raise too_large(f"more than {limits.batch_lines} scores; send smaller batches")
        yield row


def _names(row: Mapping[str, Any]) -> tuple[str, str]:
    source, name = row["source"], row["name"]
    if not is_score_name(source) or not is_score_name(name):
        raise ValueError("source and name are words")
    return source, name


def _plain(score: KeptScore, key: bytes | None, *, own: bool) -> KeptScore:
    """Return a score without anything that a person may have typed: ids as exchanges have them, labels as words.

    Only a Job's has a reason, which it has redacted, and is redacted here whatever it did.
    """
    known = is_conversation_key(score.conversation)
    return replace(
        score,
        id=score.id if key is None or own else exchange_id(score.id, key),
        label=plain_label(score.label),
        record=score.record if own and len(score.record) <= 32 and score.record.isalnum() else "",
        conversation=score.conversation if known else "",
        explanation=redact(score.explanation).text[:MAX_EXPLANATION] if own and score.explanation else "",
    )
