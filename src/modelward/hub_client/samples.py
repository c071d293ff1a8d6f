"""What the hub keeps of exchanges: how much, a window of them, one of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
import zstandard

from modelward.api.evaluation import Late
from modelward.api.exchange import Exchange, exchange_from_json
from modelward.api.history import HistoryHealth, health_from_json
from modelward.hub_client.rows import READ_ERRORS, readable
from modelward.hub_client.session import MAX_ANSWER_BYTES, HubSession, HubUnavailableError, decoded, rows_of

MAX_LATE = 32
"""Spans of late exchanges that are read of one endpoint."""


@dataclass(frozen=True, slots=True)
class KeptSamples:
    """What the hub keeps of one endpoint (`namespace/name`), and what of it came late; times in Unix milliseconds."""

    endpoint: str
    exchanges: int
    oldest_ms: int
    newest_ms: int
    late: tuple[Late, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """How much a namespace holds of its share at the hub, in bytes; `full` when its oldest exchanges make way.

    `results_cut_ms` is where the newest window ended of those that were dropped for its share of results, or 0.
    """

    namespace: str
    bytes: int
    share_bytes: int
    full: bool
    results_cut_ms: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """What the hub holds, and whether it was given rules since it started; of an older hub that is not known."""

    holdings: list[KeptSamples]
    stored: list[Stored]
    rules_asked: bool
    hub: str = ""
    """Which process answers; another one knows nothing of what was shown to the one before."""
    history: HistoryHealth | None = None
    """How its history is; None of an older hub."""
    asked_namespaces: tuple[str, ...] = ()
    """Of which it wants to know whether the cluster has them."""


class SampleRequests(HubSession):
    """Exchanges in and out."""

    async def endpoints(self) -> list[KeptSamples]:
        """Return what is kept of each endpoint."""
        return (await self.overview()).holdings

    async def overview(self) -> Overview:
        """Return what is kept of each endpoint and namespace."""
        answer = decoded(await self.ask("GET", "/v1/endpoints"))
        holdings = readable(rows_of(answer, "endpoints"), _holding, self.skipped)
        rows = rows_of(answer, "namespaces") if "namespaces" in answer else []
        stored = readable(rows, _stored, self.skipped)
        return Overview(
            [held async for batch in holdings for held in batch],
            [one async for batch in stored for one in batch],
            answer.get("rulesAsked") is not False,
            str(answer.get("hub", "")),
            health_from_json(answer.get("history")),
            tuple(map(str, rows_of(answer, "askedNamespaces"))) if "askedNamespaces" in answer else (),
        )

    async def exchange(self, namespace: str, endpoint: str, exchange_id: str) -> Exchange | None:
        """Return one exchange, or None when it is not kept."""
        path = f"/v1/exchanges/{quote(namespace)}/{quote(endpoint)}/{quote(exchange_id, safe='')}"
        try:
            return exchange_from_json(decoded(await self.ask("GET", path)))
        except HubUnavailableError as error:
            if error.status == 404:
                return None
            raise
        except READ_ERRORS as error:
            raise HubUnavailableError(str(error)) from error

    async def window(self, namespace: str, endpoint: str, from_ms: int, to_ms: int, limit: int) -> list[Exchange]:
        """Return a fair sample of at most `limit` exchanges of [from, to), oldest first."""
        path = f"/v1/windows/{quote(namespace)}/{quote(endpoint)}"
        query = {"from": str(from_ms), "to": str(to_ms), "limit": str(limit)}
        return _exchanges(await self.ask("GET", path, params=query), self.skipped)

    async def post_exchanges(self, lines: bytes) -> tuple[int, int]:
        """Post ndjson; return how many were accepted and rejected. For by-hand use and tests."""
        body = zstandard.compress(lines)
        answer = decoded(await self.ask("POST", "/v1/exchanges", data=body, encoding="zstd"))
        return int(answer.get("accepted", 0)), int(answer.get("rejected", 0))


def _holding(row: Any) -> KeptSamples:
    late = tuple(Late(int(first), int(last), int(at)) for first, last, at in list(row.get("late", ()))[-MAX_LATE:])
    return KeptSamples(str(row["endpoint"]), int(row["exchanges"]), int(row["oldestMs"]), int(row["newestMs"]), late)


def _stored(row: Any) -> Stored:
    used = str(row["namespace"]), int(row["bytes"]), int(row["shareBytes"])
    return Stored(*used, row["full"] is True, int(row.get("resultsCutMs", 0)))


def _exchanges(answer: bytes, skipped: Callable[[str], None]) -> list[Exchange]:
    try:
        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(answer), read_across_frames=True)
        text = reader.read(MAX_ANSWER_BYTES)
    except zstandard.ZstdError as error:
        raise HubUnavailableError(f"the hub's window cannot be read: {error}") from error
    found: list[Exchange] = []
    for line in text.split(b"\n"):
        try:
            found += [exchange_from_json(orjson.loads(line))] if line else []
        except READ_ERRORS:
            skipped("unreadable")
    return found
