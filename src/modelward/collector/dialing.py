"""Getting one request to a server: an idle connection or a new one, the next server if one refuses, one safe retry."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from modelward.collector.flow import pause, resume
from modelward.collector.plane import CONNECT_SECONDS, Plane, clock
from modelward.collector.request_head import readdressed
from modelward.collector.targets import Target
from modelward.collector.upstream import Upstream

if TYPE_CHECKING:
    from modelward.collector.downstream import Downstream

_KEPT_BYTES = 256 * 1024
"""Request bytes kept until the answer begins, so that the request can be sent once more."""


class Dialing:
    """The request of one exchange until its answer begins.

    A request is sent again only if nothing of it can have been acted upon: the server refused the connection, or a
    reused connection was closed before the first byte of an answer (the server closed it while idle). At most one
    retry of the latter kind, on a new connection, and only if all bytes are still here.
    """

    __slots__ = ("_blind", "_body", "_client", "_gone", "_head", "_kept_bytes", "_plane", "_retried", "_target",
                 "_task", "_tried", "_upstream", "_whole")  # fmt: skip

    def __init__(self, client: Downstream, plane: Plane, head: bytes, *, blind: bool = False) -> None:
        self._client, self._plane = client, plane
        self._head, self._blind = head, blind
        self._body: list[bytes] = []
        self._kept_bytes = 0
        self._whole = True
        self._gone = False
        self._retried = False
        self._tried: frozenset[str] = frozenset()
        self._upstream: Upstream | None = None
        self._target: Target | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Choose a server and send what is here."""
        target = self._plane.targets.choose(clock(), self._tried)
        if target is None:
            self._client.dialing_failed("no model server is reachable behind this endpoint", gone=self._gone)
            return
        idle = None if self._blind else target.take_idle()
        if idle is not None:
            self._use(idle)
        else:
            self._open(target)

    def send(self, data: bytes) -> None:
        """Send more of the request, or keep it until there is a connection."""
        upstream = self._upstream
        if self._whole and (upstream is None or self._kept_bytes + len(data) <= _KEPT_BYTES):
            self._body.append(data)
            self._kept_bytes += len(data)
        else:
            self._forget_body()
        if upstream is not None:
            upstream.write(data)
        elif self._kept_bytes > _KEPT_BYTES:
            pause(self._client.transport)

    def forget(self) -> None:
        """The answer began: keep nothing more."""
        self._forget_body()

    def cancel(self) -> None:
        """The client is gone."""
        if self._task is not None:
            self._task.cancel()

    def closed_unanswered(self, upstream: Upstream) -> None:
        """The connection ended before the first byte of an answer."""
        self._upstream = None
        if upstream.reused and self._whole and not self._retried:
            self._retried = True
            self._open(upstream.target)
        else:
            self._client.dialing_failed("the model server closed the connection before it answered")

    def _open(self, target: Target) -> None:
        self._target = target
        self._task = self._plane.loop.create_task(self._connect(target))

    async def _connect(self, target: Target) -> None:
        upstream = Upstream(self._plane, target)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._plane.loop.create_connection(lambda: upstream, target.host, target.port, ssl=target.tls)
        except asyncio.CancelledError:
            upstream.close()
            raise
        except (OSError, UnicodeError) as error:  # TimeoutError and ssl.SSLError are OSErrors too
            if isinstance(error, ConnectionRefusedError):
                self._gone = self._plane.departure.refused(target)
            self._plane.connect_failed(target, error)
            self._tried |= {target.url}
            self._task = None
            self.start()
            return
        self._task = None
        self._plane.reachability.reached()
        self._use(upstream)

    def _use(self, upstream: Upstream) -> None:
        self._upstream = upstream
        upstream.serve(self._client, blind=self._blind)
        rewrite = upstream.target.rewrite
        head = self._head if rewrite is None or self._blind else readdressed(self._head, *rewrite)
        upstream.write(b"".join((head, *self._body)))
        if self._kept_bytes > _KEPT_BYTES:
            self._forget_body()
        self._client.connected(upstream)
        resume(self._client.transport)

    def _forget_body(self) -> None:
        if self._upstream is not None:
            self._whole = False
            self._body = []
