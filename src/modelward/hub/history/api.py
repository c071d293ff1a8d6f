"""The part of the HTTP API that takes in history and answers questions to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import orjson
from aiohttp import web
from prometheus_client import Counter

from modelward.api.history import BatchKey, HistoryBatch, HistoryRow, row_from_json
from modelward.api.series import (
    HISTORY_METRICS,
    HISTORY_SPLITS,
    MAX_POINTS,
    HistoryQuery,
    HistorySplit,
    period_to_json,
    series_to_json,
)
from modelward.hub.admission import send
from modelward.hub.errors import bad_request, too_large
from modelward.hub.history.store import HistoryStore
from modelward.hub.ingest import chunks_of
from modelward.hub.layout import is_endpoint
from modelward.hub.requests import Permit, body_of, integer_of, json_answer, names_of
from modelward.hub.settings import Limits

MOST_ROWS = 2_000
"""Rows of one batch."""
_ROW_BYTES = 64 << 10
_LONGEST_EPOCH = 64
_LATEST_MS = 1 << 47
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


@dataclass(slots=True)
class HistoryApi:
    """The handlers."""

    store: HistoryStore
    limits: Limits
    counted: Counter
    permit: Permit

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_put("/v1/history", self.put_history)
        app.router.add_get("/v1/history/{namespace}/{endpoint}", self.get_history)
        app.router.add_get("/v1/history/{namespace}/{endpoint}/objectives", self.get_objectives)

    async def put_history(self, request: web.Request) -> web.Response:
        """Stage the rows of a minute; a batch that was put before changes nothing. Rows that are none are counted."""
        await self.permit(request, "put history", "")
        epoch = request.query.get("epoch", "")
        if not 0 < len(epoch) <= _LONGEST_EPOCH:
            raise bad_request("epoch names the leader that sends it, in at most 64 characters")
        key = BatchKey(epoch, integer_of(request, "minute"), integer_of(request, "part", 0))
        body = await body_of(request, self.limits.body_bytes)
        encoding = request.headers.get("Content-Encoding", "")
        rows, unreadable = await asyncio.to_thread(_rows, body, encoding, self.limits)
        taken = await self.store.put(HistoryBatch(key, rows))
        for result, count in (("accepted", len(rows) - taken.rejected), ("late", taken.rejected)):
            self.counted.labels(result).inc(count if taken.new else 0)
        self.counted.labels("malformed").inc(unreadable)
        return json_answer({"new": taken.new, "rejected": taken.rejected + unreadable})

    async def get_history(self, request: web.Request) -> web.Response:
        """Answer the lines of one metric of an endpoint."""
        endpoint = await names_of(request, self.permit, "read history")
        series = await self.store.answer(endpoint, query_of(request))
        return await send(request, json_answer(series_to_json(series)))

    async def get_objectives(self, request: web.Request) -> web.Response:
        """Answer what the objectives of an endpoint count over a period."""
        endpoint = await names_of(request, self.permit, "read history")
        found = await self.store.period(endpoint, *span_of(request))
        return json_answer(period_to_json(found))


def query_of(request: web.Request) -> HistoryQuery:
    """Read a question from the parameters of a request; HubError 400 where it is none."""
    metric = next((one for one in HISTORY_METRICS if one == request.query.get("metric")), None)
    asked = request.query.get("by", "none")
    by: HistorySplit | None = next((one for one in HISTORY_SPLITS if one == asked), None)
    if metric is None or by is None:
        known = f"metric must be one of {', '.join(HISTORY_METRICS)}, and by one of {', '.join(get_args(HistorySplit))}"
        raise bad_request(known)
    points = integer_of(request, "points", MAX_POINTS)
    if not 1 <= points <= MAX_POINTS:
        raise bad_request(f"points must be from 1 to {MAX_POINTS}")
    return HistoryQuery(metric, *span_of(request), by, points)


def span_of(request: web.Request) -> tuple[int, int]:
    """Read from and to; HubError 400 unless the first is before the second."""
    from_ms, to_ms = integer_of(request, "from"), integer_of(request, "to")
    if not 0 <= from_ms < to_ms < _LATEST_MS:
        raise bad_request("from must be before to")
    return from_ms, to_ms


def _rows(body: bytes, encoding: str, limits: Limits) -> tuple[tuple[HistoryRow, ...], int]:
    """Return the rows of a body of JSON lines, and how many lines are none."""
    text = bytearray()
    for chunk in chunks_of(body, encoding):
        text += chunk
        if len(text) > limits.decompressed_bytes:
            raise too_large(f"more than {limits.decompressed_bytes} bytes after decompression; send fewer rows at once")
    lines = bytes(text).splitlines()
    if len(lines) > MOST_ROWS:
        raise too_large(f"more than {MOST_ROWS} rows; send fewer at once")
    rows = [row for row in map(_row, lines) if row is not None]
    return tuple(rows), len(lines) - len(rows)


def _row(line: bytes) -> HistoryRow | None:
    try:
        data = orjson.loads(line) if len(line) <= _ROW_BYTES else None
        row = row_from_json(data) if isinstance(data, Mapping) else None
    except _UNREADABLE:
        return None
    return row if row is not None and is_endpoint(f"{row.namespace}/{row.endpoint}") else None
