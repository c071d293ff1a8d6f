"""Getting one request to a server: an idle connection or a new one, the next server if one refuses, one safe retry."""

from __future__ import annotations

import asyncio

from modelward.collector.ends import ClientEnd, ServerEnd
from modelward.collector.flow import PEER_FULL
from modelward.collector.memory_budget import HeldBytes
from modelward.collector.proxy_state import CONNECT_SECONDS, ProxyState
from modelward.collector.request_head import BadRequestError, RequestHead
from modelward.collector.request_target import readdressed
from modelward.collector.targets import Target
from modelward.collector.upstream import Upstream

KEPT_BYTES = 64 * 1024
"""Request bytes kept until the answer begins, so that the request can be sent once more."""
KEPT_BYTES_FAR = 256 * 1024
"""The same where a new connection costs TLS, and round trips to somewhere else."""
RETRY_SECONDS = 0.05
"""A server that closes an idle connection does so while our bytes are on their way. Later than this (and the time that
they need) it has had the request in its hands, and may have acted on it. When it closed is asked of the kernel: a
node that is short of CPU lets us see it later."""
FRESH_SECONDS = 1.0
"""A connection that idled longer may have been closed by now; a request that could not be sent again gets a new one."""


class Dialing:
    """The request of one exchange until its answer begins.

    A request is executed once. It is sent again only if no server can have begun it: the server refused the connection,
    or a reused connection was closed unanswered within `RETRY_SECONDS`, or before all of it was read. At most one retry
    of the latter kinds, on a new connection, and only if all bytes are still here. A request that is too large for that
    takes no reused connection.
    """

    __slots__ = ("_body", "_client", "_gone", "_head", "_held", "_later", "_length", "_limit", "_out", "_proxy",
                 "_retried", "_size", "_target", "_task", "_tried", "_tunnel", "_upstream", "_whole")  # fmt: skip

    def __init__(
        self, client: ClientEnd, proxy: ProxyState, head: bytes, request: RequestHead | None, body: bytes = b""
    ) -> None:
        self._client, self._proxy = client, proxy
        self._head, self._out, self._body = head, head, body
        self._tunnel = request is None
        self._length = 0 if request is None else request.length
        self._limit = KEPT_BYTES
        self._later: HeldBytes | None = None  # what came after; most requests come in one piece
        self._size = len(body)
        self._held = len(head) + self._size
        self._whole = True
        self._gone = self._retried = False
        self._tried: frozenset[str] = frozenset()
        self._target: Target | None = None
        self._upstream: ServerEnd | None = None
        self._task: asyncio.Task[None] | None = None
        proxy.budget.held += self._held

    def start(self) -> None:
        """Choose a server and send what is here."""
        now = self._proxy.now()
        target = self._proxy.targets.choose(now, self._tried)
        if target is None:
            self._client.dialing_failed("no model server is reachable behind this endpoint", gone=self._gone)
            return
        if target.rewrite is not None:
            try:
                self._out = readdressed(self._head, *target.rewrite)
            except BadRequestError as error:
                self._client.give_up_request(str(error))
                return
        self._limit = KEPT_BYTES_FAR if target.tls else KEPT_BYTES
        idle = None
        if not self._tunnel and self._length <= self._limit:
            again = self._can_keep() and self._client.request_complete
            # A request that can be sent again takes any idle connection, another one none that may have been closed.
            idle = target.take_idle(0.0 if again else now - FRESH_SECONDS)
        if idle is not None:
            self._use(target, idle, now)
        else:
            self._open(target)

    def send(self, data: bytes) -> None:
        """Send more of the request, or keep it until there is a connection."""
        upstream = self._upstream
        if upstream is None:
            self._keep(data)
            if self._size > self._limit:
                self._client.flow.stop(PEER_FULL)
            return
        if self._whole:
            if self._can_keep(len(data)):
                self._keep(data)
            else:
                self.forget()
        upstream.write(data)

    def forget(self) -> None:
        """Keep nothing for another try: the answer began, or there is too much of it."""
        if self._upstream is not None:
            self._whole = False
            self._proxy.budget.held -= self._held
            self._held = self._size = 0
            self._head = self._out = self._body = b""
            self._later = None

    def end(self) -> None:
        """The exchange needs no server any more."""
        if self._task is not None:
            self._task.cancel()
        self._proxy.budget.held -= self._held
        self._held = 0

    def closed_unanswered(self, upstream: ServerEnd) -> None:
        """The connection ended before the first byte of an answer."""
        target, self._upstream = self._target, None
        if target is None:
            return
        ended = upstream.ended or self._proxy.now()
        untouched = ended - upstream.sent <= RETRY_SECONDS + upstream.round_trip
        if upstream.reused and (untouched or upstream.unread) and self._whole and not self._retried:
            self._retried = True
            self._open(target)
        else:
            alone = self._proxy.targets.is_only_pod(target)
            self._client.dialing_failed("the model server closed the connection before it answered", gone=alone)

    def _can_keep(self, more: int = 0) -> bool:
        """Whether what is here, and so many bytes more, may be kept for another try."""
        return self._size + more <= self._limit and self._proxy.budget.spare

    def _keep(self, data: bytes) -> None:
        if self._later is None:
            self._later = HeldBytes()
        self._later.add(data)
        self._size += len(data)
        self._held += len(data)
        self._proxy.budget.held += len(data)

    def _open(self, target: Target) -> None:
        self._task = self._proxy.loop.create_task(self._connect(target))

    async def _connect(self, target: Target) -> None:
        upstream = Upstream(self._proxy, target)
        began = self._proxy.now()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._proxy.loop.create_connection(lambda: upstream, target.host, target.port, ssl=target.tls)
        except asyncio.CancelledError:
            upstream.close()
            raise
        except (OSError, UnicodeError) as error:  # TimeoutError and ssl.SSLError are OSErrors too
            if isinstance(error, ConnectionRefusedError):
                self._gone = self._proxy.departure.refused(target)
            self._proxy.connect_failed(target, error)
            self._tried |= {target.url}
            self._task = None
            self.start()
            return
        self._task = None
        self._proxy.reachability.reached()
        now = self._proxy.now()
        upstream.connected_in(now - began)
        self._use(target, upstream, now)

    def _use(self, target: Target, upstream: ServerEnd, now: float) -> None:
        self._target, self._upstream = target, upstream
        upstream.serve(self._client, now, tunnel=self._tunnel)
        self._client.flow.go(PEER_FULL)
        out = self._out + self._body if self._body else self._out
        upstream.write(out if self._later is None else out + self._later.value())
        if not self._can_keep():
            self.forget()
        self._client.connected(upstream)
