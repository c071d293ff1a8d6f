"""What a Job lets its scorers do: embed texts, and ask the addresses that their kind has declared."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import aiohttp

from modelward.api.exchange import Exchange
from modelward.api.kept_score import KeptScore
from modelward.api.origin import ORIGIN_HEADER
from modelward.api.scope import ScopeFacts
from modelward.clock import now_ms
from modelward.desired.pod_additions import SECRETS_DIRECTORY, Egress, SecretKey
from modelward.desired.text_egress import HELM_VALUE, POD, is_allowed
from modelward.evaluate.port import Cause, OutsideScores, PortError, ScopeMemory, ScoringReply, ScoringRequest
from modelward.evaluate.score_contract.signature import HEADER as SIGNATURE_HEADER
from modelward.evaluate.score_contract.signature import signature
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.marks import MarkedEgress
from modelward.job.patience import RunPatience

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TIMEOUT_S = 30.0
PAUSES_S = (1.0, 4.0)
"""Waits before an address is asked a second and a third time: a server that restarts is back within seconds."""
SERVER_ERROR = 500
MAX_REPLY_BYTES = 1 << 20
_PORTS = {"http": 80, "https": 443}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JobPort:
    """The port of one evaluator; `egress` are the only addresses that it asks. Without `scopes` none is remembered.

    Of these it asks none outside the cluster but `allowed_hosts`; None where a person runs it by hand. `learned` is
    what kinds know of addresses in the whole run, `marked` the traffic that is told apart from users',
    and `endpoint` the URL of the one whose exchanges are judged, where that may be asked.
    """

    embeddings: SharedEmbeddings
    egress: tuple[Egress, ...] = ()
    secrets: Path = Path(SECRETS_DIRECTORY)
    timeout_s: float = TIMEOUT_S
    allowed_hosts: tuple[str, ...] | None = None
    scopes: ScopeMemory | None = None
    outside: OutsideScores | None = None
    patience: RunPatience = field(default_factory=RunPatience)
    pauses_s: tuple[float, ...] = PAUSES_S
    clock_ms: Callable[[], int] = now_ms
    learned: dict[str, Any] = field(default_factory=dict)
    marked: MarkedEgress | None = None
    endpoint: str = ""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed with the process's one model; what was embedded before is remembered."""
        return await self.embeddings.vectors(texts)

    async def outside_scores(self, score_set: str, exchanges: Sequence[Exchange]) -> Mapping[str, KeptScore]:
        """Return the scores that something else has made."""
        if self.outside is None:
            raise PortError("scores from outside are in the hub, and there is none here", unsent=True)
        return await self.outside.outside_scores(score_set, exchanges)

    async def scope_facts(self, key: str) -> ScopeFacts | None:
        """Return what is known of a scope."""
        return await self.scopes.scope_facts(key) if self.scopes else None

    async def keep_scope_facts(self, key: str, facts: ScopeFacts) -> None:
        """Remember it, where there is a memory."""
        if self.scopes:
            await self.scopes.keep_scope_facts(key, facts)

    async def post(self, request: ScoringRequest) -> ScoringReply:
        """Ask as often as the request says, and follow nowhere; messages of errors hold no text of either side.

        An address that costs more than the run's patience is not asked again.
        """
        asked = self._declared(request.url)
        self.patience.require(asked)
        unsent = True
        for pause_s in (*self.pauses_s[: max(0, request.tries - 1)], None):
            with self.patience.spent(asked):
                reply = await self._once(request, asked)
            unsent = unsent and isinstance(reply, PortError) and reply.unsent
            if pause_s is None or (isinstance(reply, ScoringReply) and reply.status < SERVER_ERROR):
                break
            await asyncio.sleep(pause_s)
        if isinstance(reply, PortError):
            if not request.insistent:
                self.patience.failed(asked)
            raise PortError(str(reply), reply.cause, unsent=unsent)
        self.patience.answered(asked)
        return reply

    async def probe(self, body: bytes) -> ScoringReply:
        """Ask the endpoint itself, marked as no user: without a mark its own answers would be judged as users'."""
        if not self.endpoint or self.marked is None or self.marked.origin != "probe":
            raise PortError("the endpoint has no address in the cluster at which it can be probed", unsent=True)
        url = f"{self.endpoint.rstrip('/')}/v1/chat/completions"
        return await self.post(ScoringRequest(url, body, {"Content-Type": "application/json"}))

    async def _once(self, request: ScoringRequest, asked: Egress) -> ScoringReply | PortError:
        headers = await self._headers(request, asked)
        timeout = aiohttp.ClientTimeout(total=request.timeout_s or self.timeout_s)
        # What goes to a container of this pod, or carries a mark, goes through no proxy.
        proxied = asked.host != POD and ORIGIN_HEADER not in headers
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=proxied) as session,
                session.post(request.url, data=request.body, headers=headers, allow_redirects=False) as answer,
            ):
                body = await _limited(answer.content)
                return ScoringReply(answer.status, body, _seconds(answer.headers.get("Retry-After", "")))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            late = isinstance(error, TimeoutError)
            told = f"{asked.host} did not answer: {'Timeout' if late else type(error).__name__}"
            cause: Cause = "timeout" if late else "unreachable"
            return PortError(told, cause, unsent=isinstance(error, aiohttp.ClientConnectorError))

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def within(self, seconds: float, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work, but no longer than that."""
        try:
            async with asyncio.timeout(seconds):
                return await work()
        except TimeoutError:
            raise PortError(f"not done within {seconds:g} s", "timeout") from None

    async def each(self, work: Sequence[Callable[[], Awaitable[T]]], at_once: int) -> list[T]:
        """Do the works in tasks of which at most so many are at it; the first that raises ends the others."""
        places = asyncio.Semaphore(at_once)

        async def one(what: Callable[[], Awaitable[T]]) -> T:
            async with places:
                return await what()

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(what)) for what in work]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    def remembered(self, key: str, make: Callable[[], T]) -> T:
        """Return what is known under the key."""
        if key not in self.learned:
            self.learned[key] = make()
        return cast("T", self.learned[key])

    async def _headers(self, request: ScoringRequest, asked: Egress) -> dict[str, str]:
        headers = {name: value for name, value in request.headers.items() if name.lower() != ORIGIN_HEADER}
        if request.credential:
            secret, name = self._secret(request.credential), request.credential_header
            headers[name] = f"Bearer {secret}" if name == "Authorization" else secret
        if request.signing:
            key = self._secret(request.signing)
            headers[SIGNATURE_HEADER] = signature(key, request.body, self.clock_ms() // 1_000)
        return {**headers, **(await self.marked.headers(asked) if self.marked else {})}

    def _declared(self, url: str) -> Egress:
        try:
            parts = urlsplit(url)
            asked = Egress(parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))
        except ValueError:
            raise PortError("not a URL", "not-declared", unsent=True) from None
        if asked not in self.egress:
            told = f"{asked.host}:{asked.port} is none of the addresses that the evaluator has declared"
            raise PortError(told, "not-declared", unsent=True)
        if self.allowed_hosts is not None and not is_allowed(asked.host, self.allowed_hosts):
            told = f"text may not leave the cluster to {asked.host}: it is not in {HELM_VALUE}"
            raise PortError(told, "not-declared", unsent=True)
        return asked

    def _secret(self, key: SecretKey) -> str:
        try:
            return (self.secrets / key.secret / key.key).read_text().strip()
        except OSError:
            told = f"there is no key {key.key} in Secret {key.secret}"
            raise PortError(told, "no-secret", unsent=True) from None


def _seconds(text: str) -> float:
    """Return a pause in seconds; 0 for a date, which no judge sends, and for what is none."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


async def _limited(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_chunked(65_536):
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            raise PortError(f"the reply is larger than {MAX_REPLY_BYTES} bytes", "too-large")
    return bytes(body)
