"""The client of the hub's API, for the operator and for the Job that evaluates."""

from __future__ import annotations

import io
import ssl
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp
import orjson
import zstandard

from modelward.api.budget import (
    BudgetRefusal,
    BudgetState,
    BudgetTerms,
    Spend,
    SpendDecision,
    SpendRequest,
    state_from_json,
    terms_to_json,
)
from modelward.api.calibration import CalibrationOutcome, calibration_from_json, calibration_to_json
from modelward.api.evaluation import Late, WindowResult, result_from_json, result_to_json
from modelward.api.exchange import Exchange, exchange_from_json
from modelward.api.kept_score import KeptScore, kept_score_from_json
from modelward.api.origin import Origin
from modelward.api.scope import ScopeFacts, scope_facts_from_json, scope_facts_to_json
from modelward.hub_client.rows import READ_ERRORS, readable

TIMEOUT_S = 30.0
MAX_ANSWER_BYTES = 128 << 20
MAX_LATE = 32
"""Spans of late exchanges that are read of one endpoint."""


class HubUnavailableError(Exception):
    """The hub did not answer, or answered with an error; `status` is 0 when it did not, `code` the hub's own word."""

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        """Keep the parts beside the message."""
        super().__init__(message)
        self.status, self.code = status, code


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


@dataclass(frozen=True, slots=True)
class ScoreSet:
    """A set of scores of one endpoint; they may have come `slack_ms` before or after their exchanges."""

    namespace: str
    endpoint: str
    score_set: str
    slack_ms: int = 0


@dataclass(frozen=True, slots=True)
class FoundScores:
    """Scores by their exchange, and the exchanges that another Job is scoring."""

    scores: Mapping[str, KeptScore]
    busy: frozenset[str]


class HubClient:
    """Asks one hub; `token` is called for every request, because projected tokens rotate.

    Use as an asynchronous context manager. Every method raises HubUnavailableError and nothing else. A row that
    cannot be read raises nothing: it is left out, and `skipped` is called with the reason.
    """

    def __init__(
        self,
        base_url: str,
        ca_pem: bytes | str | None = None,
        token: Callable[[], str] | None = None,
        timeout_s: float = TIMEOUT_S,
        skipped: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing is sent. `ca_pem` is the hub's own authority, None for plain HTTP; else ssl.SSLError."""
        self._base = base_url.rstrip("/")
        self._token = token
        self._skipped = skipped
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._tls: ssl.SSLContext | bool = True
        if ca_pem:
            text = ca_pem.decode() if isinstance(ca_pem, bytes) else ca_pem
            self._tls = ssl.create_default_context(cadata=text)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection pool."""
        await self.close()

    async def close(self) -> None:
        """Close the connection pool; the next request opens one again."""
        if self._session:
            await self._session.close()
            self._session = None

    async def put_rules(
        self, rules: Mapping[str, Mapping[str, Any]], unseen: Collection[str] = ()
    ) -> Mapping[str, str]:
        """Replace all rules: {"ns/name": {"content", "keepForSeconds", "maxBodyBytes", "uid", "createdMs"}}.

        What has no rule any more is gone, and so is its text; but not in `unseen` namespaces, which keep theirs.
        Return the causes of those that the hub refused; it goes on to hold those endpoints to the rules before.
        """
        answer = await self._ask("PUT", "/v1/rules", json={"rules": rules, "unseen": sorted(unseen)})
        refused = _decoded(answer).get("refused") if answer else None
        return refused if isinstance(refused, dict) else {}

    async def endpoints(self) -> list[KeptSamples]:
        """Return what is kept of each endpoint."""
        return (await self.overview()).holdings

    async def overview(self) -> Overview:
        """Return what is kept of each endpoint and namespace."""
        answer = _decoded(await self._ask("GET", "/v1/endpoints"))
        holdings = readable(_list(answer, "endpoints"), _holding, self._skipped)
        rows = _list(answer, "namespaces") if "namespaces" in answer else []
        stored = readable(rows, _stored, self._skipped)
        return Overview(
            [held async for batch in holdings for held in batch],
            [one async for batch in stored for one in batch],
            answer.get("rulesAsked") is not False,
        )

    async def results(self, since_ms: int, namespace: str = "", endpoint: str = "") -> list[WindowResult]:
        """Return the results of windows that end at or after `since_ms`, of one endpoint or of all."""
        return [result async for batch in self.result_batches(since_ms, namespace, endpoint) for result in batch]

    async def result_batches(
        self, since_ms: int, namespace: str = "", endpoint: str = ""
    ) -> AsyncGenerator[list[WindowResult]]:
        """Yield the results of windows that end at or after `since_ms`, of one endpoint or of all, some at a time."""
        path = f"/v1/results/{quote(namespace)}/{quote(endpoint)}" if endpoint else "/v1/results"
        after = ""
        while True:
            answer = _decoded(await self._ask("GET", path, params={"since": str(since_ms), "after": after}))
            async for batch in readable(_list(answer, "results"), result_from_json, self._skipped):
                yield batch
            before, after = after, str(answer.get("next", ""))  # a hub that knows no pages answers all at once
            if after in ("", before):
                return

    async def exchange(self, namespace: str, endpoint: str, exchange_id: str) -> Exchange | None:
        """Return one exchange, or None when it is not kept."""
        path = f"/v1/exchanges/{quote(namespace)}/{quote(endpoint)}/{quote(exchange_id, safe='')}"
        try:
            return exchange_from_json(_decoded(await self._ask("GET", path)))
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
        return _exchanges(await self._ask("GET", path, params=query), self._skipped)

    async def erase(self, target: Mapping[str, Any]) -> Mapping[str, Any]:
        """Erase {"namespace", "endpoint", "exchange" or "conversation"}, or count it with "dryRun"."""
        return _decoded(await self._ask("POST", "/v1/erasures", json=target))

    async def mark(self, namespace: str, origin: Origin, seconds: int) -> str:
        """Have a mark signed for traffic that is no user's; it holds for so many seconds."""
        asked = {"origin": origin, "seconds": str(seconds)}
        answer = _decoded(await self._ask("POST", f"/v1/marks/{quote(namespace)}", params=asked))
        return str(answer.get("mark", ""))

    async def audit(self, since_ms: int, verb: str = "") -> list[Mapping[str, Any]]:
        """Return the audit's records of a time and after it; none from a hub that keeps no audit yet."""
        try:
            answer = await self._ask("GET", "/v1/audit", params={"since": str(since_ms), "verb": verb})
        except HubUnavailableError as error:
            if error.status == 404:
                return []
            raise
        return [row for row in _list(_decoded(answer), "records") if isinstance(row, dict)]

    async def post_exchanges(self, lines: bytes) -> tuple[int, int]:
        """Post ndjson; return how many were accepted and rejected. For by-hand use and tests."""
        body = zstandard.compress(lines)
        answer = _decoded(await self._ask("POST", "/v1/exchanges", data=body, encoding="zstd"))
        return int(answer.get("accepted", 0)), int(answer.get("rejected", 0))

    async def put_result(self, result: WindowResult) -> None:
        """Store a window's result; again is no harm."""
        parts = (result.namespace, result.endpoint, result.policy, result.evaluation)
        path = "/v1/results/" + "/".join(map(quote, parts)) + f"/{result.from_ms}-{result.to_ms}"
        await self._ask("PUT", path, json=result_to_json(result))

    async def scope_facts(self, namespace: str, key: str) -> ScopeFacts | None:
        """Return what was found of a scope; None where that is nothing, of another form, or the hub is older."""
        try:
            return scope_facts_from_json(_decoded(await self._ask("GET", f"/v1/scopes/{quote(namespace)}/{key}")))
        except HubUnavailableError as error:
            if error.status == 404:
                return None
            raise
        except ValueError:
            self._skipped("unreadable")
            return None

    async def put_scope_facts(self, namespace: str, key: str, facts: ScopeFacts) -> None:
        """Store what was found of a scope; again is no harm."""
        await self._ask("PUT", f"/v1/scopes/{quote(namespace)}/{key}", json=scope_facts_to_json(facts))

    async def post_scores(self, lines: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
        """Post scores of exchanges; return how many were accepted and rejected. Again is no harm."""
        body = zstandard.compress(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        answer = _decoded(await self._ask("POST", "/v1/scores", data=body, encoding="zstd"))
        return int(answer.get("accepted", 0)), int(answer.get("rejected", 0))

    async def find_scores(self, where: ScoreSet, exchanges: Sequence[Exchange], holder: str = "") -> FoundScores:
        """Return the scores that there are of exchanges in a set; a `holder` gets the others to score."""
        times = [one.time_ms for one in exchanges]
        ids = [one.id for one in exchanges]
        asked = {
            "ids": ids,
            "holder": holder,
            "from_ms": min(times) - where.slack_ms,
            "to_ms": max(times) + where.slack_ms,
        }
        path = f"/v1/scores/{quote(where.namespace)}/{quote(where.endpoint)}/{where.score_set}/lookup"
        answer = _decoded(await self._ask("POST", path, json=asked))
        batches = readable(_list(answer, "scores"), kept_score_from_json, self._skipped)
        found = {one.id: one async for batch in batches for one in batch}
        return FoundScores(found, frozenset(str(one) for one in _list(answer, "busy")))

    async def calibration(self, namespace: str, evaluator: str) -> CalibrationOutcome | None:
        """Return what was found of an evaluator; None where that is nothing, of another form, or the hub is older."""
        try:
            answer = await self._ask("GET", f"/v1/calibrations/{quote(namespace)}/{quote(evaluator)}")
            return calibration_from_json(_decoded(answer))
        except HubUnavailableError as error:
            if error.status == 404:
                return None
            raise
        except ValueError:
            self._skipped("unreadable")
            return None

    async def put_calibration(self, found: CalibrationOutcome) -> None:
        """Store what was found of an evaluator, in the place of what was."""
        path = f"/v1/calibrations/{quote(found.namespace)}/{quote(found.evaluator)}"
        await self._ask("PUT", path, json=calibration_to_json(found))

    async def label_scores(self, namespace: str, evaluator: str, key: str) -> Mapping[str, Any]:
        """Return the scores of labels that an earlier run of a calibration has left under a key; empty if none."""
        path = f"/v1/calibrations/{quote(namespace)}/{quote(evaluator)}/scores/{key}"
        try:
            return _decoded(await self._ask("GET", path))
        except HubUnavailableError as error:
            if error.status == 404:
                return {}
            raise

    async def put_label_scores(self, namespace: str, evaluator: str, key: str, rows: Mapping[str, Any]) -> None:
        """Store scores of labels, in the place of those before."""
        await self._ask("PUT", f"/v1/calibrations/{quote(namespace)}/{quote(evaluator)}/scores/{key}", json=rows)

    async def put_budgets(self, terms: Sequence[BudgetTerms]) -> list[str]:
        """Replace the terms of all policies; return the names of those that the hub refused."""
        rows = [terms_to_json(one) for one in terms]
        answer = _decoded(await self._ask("PUT", "/v1/budgets", json={"budgets": rows}))
        return [str(name) for name in _list(answer, "refused")]

    async def budgets(self) -> list[BudgetState]:
        """Return what each policy with a budget has spent today."""
        rows = _list(_decoded(await self._ask("GET", "/v1/budgets")), "budgets")
        return [one async for batch in readable(rows, state_from_json, self._skipped) for one in batch]

    async def reserve(self, namespace: str, policy: str, asked: SpendRequest) -> SpendDecision:
        """Ask for the worst case of one request; the same key again is granted again, and spends nothing more."""
        path = f"/v1/budgets/{quote(namespace)}/{quote(policy)}/reservations"
        answer = _decoded(await self._ask("POST", path, json=asdict(asked)))
        if answer.get("granted") is True:
            return SpendDecision()
        reason: BudgetRefusal = "PriceUnknown" if answer.get("reason") == "PriceUnknown" else "BudgetExhausted"
        return SpendDecision(reason, str(answer.get("message", "")))

    async def settle(self, namespace: str, policy: str, key: str, used: Spend | None) -> None:
        """Settle what was reserved by what was used; None where that is not known. Again is no harm."""
        path = f"/v1/budgets/{quote(namespace)}/{quote(policy)}/settlements"
        await self._ask("POST", path, json={"key": key, **(asdict(used) if used else {})})

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | None = None,
        encoding: str = "",
    ) -> bytes:
        try:
            headers = {"Authorization": f"Bearer {self._token()}"} if self._token else {}
            if encoding:
                headers["Content-Encoding"] = encoding
            body = orjson.dumps(json) if json is not None else data or b""
            async with self._open().request(
                method, self._base + path, params=params, data=io.BytesIO(body), headers=headers, ssl=self._tls
            ) as response:
                answer = await _whole(response)
                if response.status >= 400:
                    raise _refused(response.status, answer)
                return answer
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RuntimeError) as error:
            raise HubUnavailableError(f"hub {self._base}: {type(error).__name__}: {error}") from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, auto_decompress=False, trust_env=False)
        return self._session


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise HubUnavailableError(f"the hub's answer is larger than {MAX_ANSWER_BYTES} bytes; ask for less")
    return bytes(body)


def _refused(status: int, answer: bytes) -> HubUnavailableError:
    try:
        error = orjson.loads(answer)["error"]
        return HubUnavailableError(str(error["message"]), status, str(error["code"]))
    except (ValueError, KeyError, TypeError):
        return HubUnavailableError(f"the hub answered {status}", status)


def _decoded(answer: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(answer)
    except ValueError as error:
        raise HubUnavailableError("the hub's answer is no JSON") from error
    if not isinstance(value, dict):
        raise HubUnavailableError("the hub's answer is no JSON object")
    return value


def _list(answer: Mapping[str, Any], key: str) -> list[Any]:
    rows = answer.get(key)
    if not isinstance(rows, list):
        raise HubUnavailableError(f"the hub's answer has no {key}")
    return rows


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
