"""From a client's bytes to its requests: one at a time, in the order of the bytes, and each read in turns.

Bytes that cannot be dealt with yet are held: a head until it is whole, requests behind one that is being answered
(pipelining), and the rest of a read once this connection has had its turn.
"""

from __future__ import annotations

from modelward.collector.ends import BODY, CLOSING, HEAD, TUNNEL, ClientEnd
from modelward.collector.flow import BULK_BYTES, HELD, TURN
from modelward.collector.proxy_state import ProxyState
from modelward.collector.request_body import RequestBody
from modelward.collector.request_head import (
    HTTP2_PREFACE,
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    BadRequestError,
    RequestHead,
    without_cleartext_http2,
)

_END_OF_HEAD = b"\r\n\r\n"
_MAX_PIPELINED_BYTES = 64 * 1024


class Intake:
    """The requests of one client's connection."""

    __slots__ = ("_body", "_client", "_held", "_in_head", "_proxy", "_scheduled", "_searched")

    def __init__(self, client: ClientEnd, proxy: ProxyState) -> None:
        self._client, self._proxy = client, proxy
        self._held = bytearray()
        self._body: RequestBody | None = None
        self._scheduled = False
        self._in_head = True  # a new connection has the time of a head
        self._searched = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is held."""
        return not self._held

    def receive(self, data: bytes) -> None:
        """Take what was read, behind what is held."""
        if self._held:
            self._hold(data)
            if not self._scheduled:
                self._handle_held()
        else:
            taken = self._handle(data)
            if taken < len(data):
                self._hold(data[taken:] if taken else data)
        if len(data) >= BULK_BYTES:
            self._yield()

    def next_request(self) -> None:
        """The answer is out: go on with what is held, after the others' turn, or wait for more."""
        if self._held:
            self._schedule()
        else:
            self._proxy.idle.join(self._client, self._proxy.now())

    def resume(self) -> None:
        """Deal with what is held now."""
        if self._held and not self._scheduled:
            self._handle_held()

    def clear(self) -> None:
        """The connection ends: let go of what is held."""
        self._proxy.budget.give_back(len(self._held))
        self._held = bytearray()
        self._client.flow.go(HELD)

    def _hold(self, data: bytes) -> None:
        if self._client.state is CLOSING:
            return
        self._held += data
        self._proxy.budget.must_take(len(data))
        if len(self._held) > _MAX_PIPELINED_BYTES:
            self._client.flow.stop(HELD)

    def _handle_held(self) -> None:
        taken = self._handle(self._held)
        if taken and self._held:
            del self._held[:taken]
            self._proxy.budget.give_back(taken)
        if len(self._held) <= _MAX_PIPELINED_BYTES:
            self._client.flow.go(HELD)

    def _handle(self, data: bytes | bytearray) -> int:
        """Deal with as much as belongs to the request under way and return how much that was."""
        client, taken, began = self._client, 0, False
        if client.state is HEAD:
            taken = self._read_head(data)
            began = client.state is not HEAD
        if taken < len(data):
            if client.state is BODY:
                taken += self._read_body(data[taken:] if taken else data)
            elif client.state is TUNNEL:
                client.send(bytes(data[taken:]))
                taken = len(data)
        if began:
            client.dial()
        return taken

    # The head.

    def _read_head(self, data: bytes | bytearray) -> int:
        start = 0
        if data.startswith((b"\r", b"\n")):  # RFC 9112, 2.2: ignore empty lines
            start = len(data) - len(data.lstrip(b"\r\n"))
        end = data.find(_END_OF_HEAD, max(start, self._searched - 3))
        if end < 0 or end - start > MAX_HEAD_BYTES:
            return self._await_head(len(data), start)
        end += len(_END_OF_HEAD)
        if self._in_head:
            self._searched, self._in_head = 0, False
            self._proxy.heads.leave(self._client)
        else:
            self._proxy.idle.leave(self._client)
        return self._begin(data, start, end)

    def _await_head(self, size: int, start: int) -> int:
        if not self._in_head:
            self._in_head = True
            self._proxy.idle.leave(self._client)
            self._proxy.heads.join(self._client, self._proxy.now())
        if size - start > MAX_HEAD_BYTES:
            self._client.refuse(431, "the request's header is larger than 64 KiB")
            return size
        self._searched = size - start
        return start

    def _begin(self, data: bytes | bytearray, start: int, end: int) -> int:
        """Begin a request and return where that ends which is dealt with: its head, or all of it if all is here."""
        client, raw = self._client, bytes(data[start:end])
        if raw.count(b"\n") > MAX_FIELDS:
            client.refuse(431, f"the request's header has more than {MAX_FIELDS} fields")
            return end
        if raw == HTTP2_PREFACE:
            client.begin_tunnel(raw)
            return end
        try:
            head = RequestHead(raw, self._proxy.caller_header)
            if head.cleartext_http2:
                raw = without_cleartext_http2(raw)
                head = RequestHead(raw, self._proxy.caller_header)
        except BadRequestError as error:
            client.refuse(400, f"not a valid HTTP/1.1 request: {error}")
            return end
        if head.method == b"CONNECT":
            client.refuse(405, "a model server is no proxy: CONNECT is not passed on")
            return end
        end_of_body = end + head.length
        if head.chunked or end_of_body > len(data):
            self._body = RequestBody(head)
            client.begin(head, raw)
            return end
        client.begin_whole(head, raw, bytes(data[end:end_of_body]))
        return end_of_body

    # The body.

    def _read_body(self, data: bytes | bytearray) -> int:
        body = self._body
        if body is None:
            return 0
        try:
            taken, content = body.take(data)
        except BadRequestError as error:
            self._client.give_up_request(str(error))
            return len(data)
        if taken:
            self._client.send(bytes(data if taken == len(data) else data[:taken]))
        if content:
            self._client.observe_request(content)
        if body.complete:
            self._body = None
            self._client.request_ended()
        elif body.cut_short:
            self._yield()
        return taken

    # The turns.

    def _yield(self) -> None:
        """Let the other connections have their turn before more of this one is read or followed."""
        self._client.flow.stop(TURN)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._proxy.loop.call_soon(self._continue)

    def _continue(self) -> None:
        self._scheduled = False
        if self._held:
            self._handle_held()
        if not self._scheduled:
            self._client.flow.go(TURN)
