"""Reads one metrics page over HTTP, bounded in bytes and time whatever the other side does."""

import asyncio
import errno
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import aiohttp

from modelward.metrics.collector_page import snapshot_from_collector
from modelward.metrics.engine_page import snapshot_from_engine
from modelward.metrics.exposition import PageTooLargeError, ParseError, cut_short, parse
from modelward.metrics.snapshot import Snapshot, UnusableError

log = logging.getLogger(__name__)

MAX_BYTES = 2_000_000
TIMEOUT_S = 3.0
_ASIDE_BYTES = 100_000
"""A page larger than this takes tens of milliseconds to read, which other endpoints' work must not wait for."""
_HEADERS = {
    "Accept": "text/plain;version=0.0.4;q=1, application/openmetrics-text;version=1.0.0;q=0.5, */*;q=0.1",
    # A compressed page has no bound before it is unpacked.
    "Accept-Encoding": "identity",
    "User-Agent": "modelward",
}


@dataclass(frozen=True, slots=True)
class PageTarget:
    """A page to read: whose it is, where it is, and whether a collector or the engine itself writes it."""

    pod: str
    url: str
    engine: str
    source: Literal["collector", "engine"]


@dataclass(frozen=True, slots=True)
class ScrapeFailure:
    """Why a page gave nothing.

    `reason` is Refused, Timeout, Slow, TooLarge, BadContent, Unusable or `HTTP` and the status; `message` is a sentence
    for people. Timeout: not a byte of an answer came, which Slow began and did not end.
    """

    pod: str
    reason: str
    message: str


class Scraper:
    """Reads pages through one session; `clock` gives milliseconds, the same ones the readings are requested with."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Callable[[], int],
        *,
        timeout_s: float = TIMEOUT_S,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._session = session
        self._clock = clock
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes

    async def scrape(self, target: PageTarget, before: Snapshot | None = None) -> Snapshot | ScrapeFailure:
        """Read one page; never raises but for cancellation, because one odd pod must not end a round.

        `before` is what was read last time: a page that has not changed since, as those of idle pods have not, says
        the same again and is not taken apart once more.
        """
        page = bytearray()
        try:
            async with asyncio.timeout(self._timeout_s):
                failure = await self._fetch(target, page)
            if failure is None and len(page) > _ASIDE_BYTES:
                return await asyncio.to_thread(self._read, target, bytes(page), before)
            return failure or self._read(target, bytes(page), before)
        except TimeoutError:
            return self._late(target, len(page))
        except aiohttp.ClientResponseError as error:
            return ScrapeFailure(target.pod, "BadContent", f"{target.url} does not speak HTTP: {error.message[:100]}")
        except aiohttp.InvalidURL:
            return ScrapeFailure(target.pod, "BadContent", f"{target.url} is no URL")
        except (aiohttp.ClientError, OSError) as error:
            if page or isinstance(error, aiohttp.ClientPayloadError):
                return self._broke_off(target)
            # A mesh that insists on mTLS accepts and closes, a NetworkPolicy with REJECT refuses: both mean "not you".
            return ScrapeFailure(target.pod, "Refused", f"{target.url} {refusal(error)}")
        except Exception as error:
            log.exception("scrape=unexpected pod=%s url=%s", target.pod, target.url)
            return ScrapeFailure(target.pod, "BadContent", f"{target.url} cannot be read: {type(error).__name__}")

    async def _fetch(self, target: PageTarget, page: bytearray) -> ScrapeFailure | None:
        """Read the answer's body into `page`; anything but a whole page within the bounds is a failure."""
        asked = self._session.get(target.url, headers=_HEADERS, allow_redirects=False, auto_decompress=False)
        async with asked as response:
            if response.status != 200:
                return ScrapeFailure(
                    target.pod, f"HTTP {response.status}", f"{target.url} answered {response.status}, not metrics"
                )
            if response.headers.get("Content-Encoding", "identity") != "identity":
                return ScrapeFailure(target.pod, "BadContent", f"{target.url} sends a compressed page unasked")
            async for chunk in response.content.iter_any():
                page += chunk
                if len(page) > self._max_bytes:
                    return self._too_large(target, f"more than {self._max_bytes} bytes")
            framed = response.content_length is not None or "Transfer-Encoding" in response.headers
            return self._broke_off(target) if not framed and cut_short(bytes(page[-5:])) else None

    def _late(self, target: PageTarget, came_bytes: int) -> ScrapeFailure:
        if came_bytes:
            message = f"{target.url} is slow: {came_bytes} bytes and no whole page in {self._timeout_s:g} s"
            return ScrapeFailure(target.pod, "Slow", message)
        return ScrapeFailure(target.pod, "Timeout", f"{target.url} gave no answer in {self._timeout_s:g} s")

    def _broke_off(self, target: PageTarget) -> ScrapeFailure:
        return ScrapeFailure(target.pod, "BadContent", f"{target.url} broke off in the middle of the page")

    def _read(self, target: PageTarget, page: bytes, before: Snapshot | None) -> Snapshot | ScrapeFailure:
        digest = _digest(target, page)
        if before is not None and before.page == digest:
            return replace(before, at_ms=self._clock())
        try:
            families = parse(page, max_bytes=self._max_bytes)
            if target.source == "collector":
                found = snapshot_from_collector(families, target.pod, self._clock())
            else:
                found = snapshot_from_engine(families, target.engine, target.pod, self._clock())
            return replace(found, page=digest)
        except PageTooLargeError as error:
            return self._too_large(target, str(error))
        except ParseError as error:
            return ScrapeFailure(target.pod, "BadContent", f"{target.url} serves no metrics page: {error}")
        except UnusableError as error:
            return ScrapeFailure(target.pod, "Unusable", f"{target.url} serves metrics that say nothing: {error}")

    def _too_large(self, target: PageTarget, how: str) -> ScrapeFailure:
        return ScrapeFailure(target.pod, "TooLarge", f"{target.url}: {how}")


def _digest(target: PageTarget, page: bytes) -> str:
    """Return what identifies a page: whose it is and how it is read are part of what it says."""
    digest = hashlib.blake2b(repr((target.pod, target.engine, target.source)).encode(), digest_size=16)
    digest.update(page)
    return digest.hexdigest()


def refusal(error: Exception) -> str:
    """Return what happened in words; the library's own repeat the address and what it tried."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ConnectionRefusedError):
        return "refused the connection"
    reset = isinstance(cause, OSError) and cause.errno == errno.ECONNRESET
    if reset or isinstance(cause, aiohttp.ServerDisconnectedError | ConnectionResetError):
        return "accepted the connection and closed it"
    return f"cannot be reached: {str(cause)[:100]}"


class Lanes:
    """Two lines of `limit` readings at a time: what did not answer last time waits in a line of its own.

    So pages that hang, however many, cost the others nothing.
    """

    def __init__(self, limit: int = 50) -> None:
        self._well, self._silent = asyncio.Semaphore(limit), asyncio.Semaphore(limit)

    async def read(
        self, scraper: Scraper, target: PageTarget, before: Snapshot | None = None, *, silent: bool = False
    ) -> Snapshot | ScrapeFailure:
        """Read one page when its line has room; `before` is its last reading, `silent` whether it failed since."""
        async with self._silent if silent else self._well:
            return await scraper.scrape(target, before)
