"""Asking a service as a Job would: same limits, same signature, no retry, so that nothing is hidden."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import aiohttp

from modelward.clock import now_ms
from modelward.evaluate.score_contract import CONTRACT, MANIFEST_PATH, MAX_BODY_BYTES, SCORE_PATH
from modelward.evaluate.score_contract.signature import HEADER, signature

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class TriedAnswer:
    """Status and body of one reply; status 0, and the cause as body, where there was none."""

    status: int
    body: bytes

    def rows(self) -> list[Any]:
        """Return the scores; empty where the reply has none."""
        try:
            read = json.loads(self.body)
        except (ValueError, RecursionError):
            return []
        rows = read.get("scores") if isinstance(read, dict) else None
        return rows if isinstance(rows, list) else []


@dataclass(frozen=True, slots=True)
class TriedService:
    """A running service, by its base URL; `key` signs requests, as a webhook's are."""

    base: str
    key: str = ""
    timeout_s: float = TIMEOUT_S

    async def manifest(self) -> TriedAnswer:
        """Ask what it is."""
        return await self._ask("GET", MANIFEST_PATH, None, {})

    async def score(self, records: list[dict[str, Any]], **more: Any) -> TriedAnswer:
        """Ask for scores; `more` are further keys of the request."""
        asked = {"contract": CONTRACT, "evaluator": "conformance", "config": {}, "records": records, **more}
        return await self.send(json.dumps(asked).encode())

    async def send(self, body: bytes, *, signed: bool = True) -> TriedAnswer:
        """Send any body."""
        headers = {"Content-Type": "application/json"}
        if self.key and signed:
            headers[HEADER] = signature(self.key, body, now_ms() // 1_000)
        return await self._ask("POST", SCORE_PATH, body, headers)

    async def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> TriedAnswer:
        timeout = aiohttp.ClientTimeout(total=self.timeout_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(
                    method, self.base.rstrip("/") + path, data=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                return TriedAnswer(answer.status, await answer.content.read(2 * MAX_BODY_BYTES))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return TriedAnswer(0, type(error).__name__.encode())
