"""Getting records out of the pod: in batches to the hub, by way of the spool when the hub is away, or into a file."""

from __future__ import annotations

import http.client
import json
import logging
import random
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import zstandard

from modelward.api.origin import KEY_BYTES
from modelward.collector.spool import Spool

BATCH_LINES = 200
BATCH_BYTES = 1024 * 1024
BATCH_SECONDS = 2.0
WAITING_BYTES = 8 * 1024 * 1024
TIMEOUT_SECONDS = 10.0
_LONGEST_PAUSE = 60.0
_FAILED = 500
_KEY_SECONDS = 3_600.0
_KEY_AGAIN_SECONDS = 30.0
_KEY_BYTES = range(16, 65)
_NEVER_ACCEPTED = frozenset((400, 413, 415, 422))

log = logging.getLogger("modelward.collector.shipping")

Count = Callable[[str, int], None]
"""Called with "sent" or the reason of a drop, and how many exchanges."""


class HubRefusedError(Exception):
    """The hub will not take this batch, now or later."""


class HubFailedError(ConnectionError):
    """The hub failed over this batch. It may be the hub, or the batch."""


@dataclass(frozen=True, slots=True)
class HubKeys:
    """What a namespace hashes ids and conversations with, and what marks of its traffic are signed with."""

    secret: bytes
    origins: tuple[bytes, ...] = ()


class HubConnection:
    """One hub's address, the token file that is read for each batch, and its CA."""

    def __init__(self, url: str, token_file: str, ca_file: str) -> None:
        self._url = urlsplit(url)
        self._token_file, self._ca_file = Path(token_file), ca_file

    def post(self, batch: bytes) -> int:
        """Send a compressed batch; return how many exchanges it accepted.

        Raises OSError or http.client.HTTPException when it should be tried again, HubRefusedError when not.
        """
        connection = self._connection()
        try:
            connection.request("POST", "/v1/exchanges", batch, self._headers())
            answer = connection.getresponse()
            body = answer.read(65_536)
        finally:
            connection.close()
        if answer.status in _NEVER_ACCEPTED:
            raise HubRefusedError(f"status {answer.status}")
        if answer.status == _FAILED:
            raise HubFailedError(f"the hub answered {answer.status}")
        if answer.status // 100 != 2:
            raise ConnectionError(f"the hub answered {answer.status}")
        return _accepted(body)

    def keys(self, namespace: str) -> HubKeys:
        """Return the namespace's key for hashing ids and conversations, and those of marks.

        Raises OSError, ValueError or http.client.HTTPException when there is none to be had.
        """
        connection = self._connection()
        try:
            connection.request("GET", f"/v1/keys/{namespace}", headers=self._headers())
            answer = connection.getresponse()
            body = answer.read(65_536)
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise ConnectionError(f"the hub answered {answer.status}")
        return _keys(body)

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port or 80, timeout=TIMEOUT_SECONDS)
        context = ssl.create_default_context(cafile=self._ca_file if Path(self._ca_file).is_file() else None)
        return http.client.HTTPSConnection(host, port or 443, timeout=TIMEOUT_SECONDS, context=context)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "zstd"}
        if self._token_file.is_file():
            headers["Authorization"] = f"Bearer {self._token_file.read_text().strip()}"
        return headers


def _accepted(body: bytes) -> int:
    try:
        return int(json.loads(body)["accepted"])
    except (ValueError, KeyError, TypeError):
        return 0


def _keys(body: bytes) -> HubKeys:
    try:
        answer = json.loads(body)
        key = bytes.fromhex(answer["key"])
        origins = tuple(bytes.fromhex(one) for one in answer.get("originKeys", ()))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("the hub's answer holds no key") from error
    if len(key) not in _KEY_BYTES or any(len(one) != KEY_BYTES for one in origins):
        raise ValueError("the hub's key has a length that is none")
    return HubKeys(key, origins)


class Shipper:
    """A thread that takes lines and gets them to the hub; adding a line never waits.

    While the hub is away batches go to the spool; what neither memory nor spool can hold is dropped and counted.
    """

    def __init__(
        self,
        spool: Spool,
        count: Count,
        batch_seconds: float = BATCH_SECONDS,
        *,
        namespace: str = "",
        origin_keys: Callable[[tuple[bytes, ...]], None] = lambda _: None,
    ) -> None:
        self._spool, self._count, self._namespace = spool, count, namespace
        self.key: bytes | None = None
        """Held in memory only, as long as the process lives."""
        self._key_due = 0.0
        self._origin_keys = origin_keys
        self._batch_seconds = batch_seconds
        self._lines: list[bytes] = []
        self._bytes = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._failures = 0
        self._not_before = 0.0
        self._spool_dropped = 0
        self._accepted = 0
        self._batch_failed = False
        self.hub: HubConnection | None = None
        self._thread = threading.Thread(target=self._run, name="shipper", daemon=True)

    def start(self) -> None:
        """Begin to ship."""
        self._thread.start()

    def add(self, line: bytes) -> None:
        """Take one record."""
        with self._changed:
            if self._bytes + len(line) > WAITING_BYTES:
                self._count("backlog", 1)
                return
            self._lines.append(line)
            self._bytes += len(line)
            if len(self._lines) >= BATCH_LINES or self._bytes >= BATCH_BYTES:
                self._changed.notify()

    def stop(self, seconds: float) -> None:
        """Ship or spool what is here, then end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping or self._lines:
            try:
                self.ship_once()
            except Exception as error:  # noqa: BLE001 - the thread must live; what it held is counted as lost
                log.warning("shipping failed; error=%s", type(error).__name__)
                self._count("shipping_error", 1)

    def ship_once(self) -> None:
        """Wait for a batch, send it, and then what the spool holds."""
        self._renew_key()
        lines = self._take()
        if lines:
            self._ship(zstandard.ZstdCompressor(level=3).compress(b"\n".join(lines) + b"\n"), len(lines))
        if self._may_try():
            self._empty_spool()
        if self._spool.dropped != self._spool_dropped:
            self._count("spool_full", self._spool.dropped - self._spool_dropped)
            self._spool_dropped = self._spool.dropped

    def _renew_key(self) -> None:
        """Ask for the newest key now and then; the last one goes on to serve while the hub is away."""
        if self.hub is None or not self._namespace or self._stopping or time.monotonic() < self._key_due:
            return
        try:
            keys = self.hub.keys(self._namespace)
            self.key = keys.secret
            self._origin_keys(keys.origins)
            self._key_due = time.monotonic() + _KEY_SECONDS
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._key_due = time.monotonic() + _KEY_AGAIN_SECONDS
            log.warning("no key from the hub; error=%s: %s", type(error).__name__, str(error)[:200])

    def _take(self) -> list[bytes]:
        with self._changed:
            if not self._stopping and len(self._lines) < BATCH_LINES and self._bytes < BATCH_BYTES:
                self._changed.wait(self._batch_seconds)
            taken, self._lines = self._lines[:BATCH_LINES], self._lines[BATCH_LINES:]
            self._bytes -= sum(map(len, taken))
            return taken

    def _may_try(self) -> bool:
        return self.hub is not None and time.monotonic() >= self._not_before

    def _ship(self, batch: bytes, count: int) -> None:
        if self._may_try() and not len(self._spool) and self._post(batch, count):
            return
        try:
            self._spool.put(batch, count)
        except OSError:
            self._count("spool_error", count)

    def _empty_spool(self) -> None:
        while not self._stopping and (waiting := self._spool.oldest()):
            if self._post(*waiting):
                self._spool.discard_oldest()
                continue
            if self._batch_failed and (lost := self._spool.defer_oldest(self._accepted)):
                log.warning("hub fails over a batch; lines=%d are given up", lost)
                self._count("rejected", lost)
            return

    def _post(self, batch: bytes, count: int) -> bool:
        """Return whether the batch is done with, accepted or refused for good."""
        if self.hub is None:
            return False
        self._batch_failed = False
        try:
            accepted = self.hub.post(batch)
        except HubRefusedError as error:
            log.warning("hub refuses a batch; error=%s", error)
            accepted = 0
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._failures += 1
            self._batch_failed = isinstance(error, HubFailedError)
            pause = min(_LONGEST_PAUSE, 2.0 ** min(self._failures, 6)) * random.uniform(0.5, 1.0)  # noqa: S311
            self._not_before = time.monotonic() + pause
            log.warning("hub is away; error=%s: %r again_in_s=%.1f", type(error).__name__, str(error)[:200], pause)
            return False
        self._failures = 0
        self._accepted += 1
        self._count("sent", accepted)
        self._count("rejected", count - accepted)
        return True
