"""Talking to the hub: the connection, who asks, and what an answer that cannot be used becomes."""

from __future__ import annotations

import io
import ssl
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

TIMEOUT_S = 30.0
MAX_ANSWER_BYTES = 128 << 20


class HubUnavailableError(Exception):
    """The hub did not answer, or answered with an error; `status` is 0 when it did not, `code` the hub's own word."""

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        """Keep the parts beside the message."""
        super().__init__(message)
        self.status, self.code = status, code


class HubSession:
    """Sends requests to one hub; `token` is called for every request, because projected tokens rotate.

    Use as an asynchronous context manager. A row that cannot be read raises nothing: `skipped` is called with why.
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
        self.skipped = skipped
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

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | None = None,
        encoding: str = "",
    ) -> bytes:
        """Send a request and return the answer's body; HubUnavailableError for whatever goes wrong."""
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


def decoded(answer: bytes) -> dict[str, Any]:
    """Return an answer that must be a JSON object; HubUnavailableError when it is none."""
    try:
        value = orjson.loads(answer)
    except ValueError as error:
        raise HubUnavailableError("the hub's answer is no JSON") from error
    if not isinstance(value, dict):
        raise HubUnavailableError("the hub's answer is no JSON object")
    return value


def rows_of(answer: Mapping[str, Any], key: str) -> list[Any]:
    """Return the rows under a key; HubUnavailableError when there are none."""
    rows = answer.get(key)
    if not isinstance(rows, list):
        raise HubUnavailableError(f"the hub's answer has no {key}")
    return rows
