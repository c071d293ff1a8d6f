"""One exchange as it passes: first token, gaps, tokens, outcome. It only looks; the bytes have already gone on."""

from __future__ import annotations

from modelward.api.exchange import Outcome, Timings, Usage
from modelward.api.outcome import CLIENT_CLOSED_REQUEST, Ending, RequestClass, class_of_status
from modelward.collector import families
from modelward.collector.capture import Captured, CaptureGate
from modelward.collector.families import FAMILIES
from modelward.collector.ledger import Ledger, ModelCells, observe
from modelward.collector.operations import operation_of
from modelward.collector.request_head import RequestHead
from modelward.collector.stream_signs import FIRST_TOKEN, FIRST_TOKEN_REACH, model_named_in, reports_error, usage_in

_BAD_GATEWAY = 502
_TAIL_BYTES = 32 * 1024
_KNOWN_REQUEST_BYTES = 256 * 1024
_TTFT_BOUNDS = FAMILIES[families.TTFT].bounds
_GAP_BOUNDS = FAMILIES[families.INTER_CHUNK].bounds
_TOKEN_BOUNDS = FAMILIES[families.TOKENS].bounds


class ExchangeMeter:
    """Observes one exchange; any exception out of it makes the caller drop it, never the exchange.

    Times are seconds of one monotonic clock. `started` is when the request's head was complete.
    """

    __slots__ = (
        "_begun", "_busy", "_captured", "_cells", "_edge", "_first_token", "_gate", "_known_request", "_last",
        "_ledger", "_readable", "_request", "_separator", "_tail", "_tail_bytes", "finished", "operation", "started",
        "status",
    )  # fmt: skip

    def __init__(self, ledger: Ledger, gate: CaptureGate, head: RequestHead, started: float) -> None:
        self._ledger, self._gate = ledger, gate
        self.operation = operation_of(head.method, head.path)
        self.started = started
        self.status = 0
        self.finished = self._begun = self._busy = self._readable = False
        self._request: list[bytes] = []
        self._known_request = 0
        self._cells: ModelCells | None = None
        self._separator = self._edge = b""
        self._first_token = self._last = 0.0
        self._tail: list[bytes] = []
        self._tail_bytes = 0
        self._captured: Captured | None = gate.begin(head) if self.operation else None
        ledger.in_flight[0] += 1
        ledger.started[0] += 1

    def request_body(self, piece: bytes) -> None:
        """Look at a piece of the request's body."""
        if self._known_request < _KNOWN_REQUEST_BYTES and not self._begun:
            self._request.append(piece)
            self._known_request += len(piece)
        if self._captured is not None:
            self._captured.add_request(piece)

    def response_head(self, status: int, content_type: bytes, encoding: bytes, *, asks_to_retry: bool = False) -> None:
        """Note how the answer begins, and whom it is to be counted for; `asks_to_retry` is for Retry-After."""
        self._begun = True
        self._busy = asks_to_retry or self._ledger.engine_queues
        self.status = status
        self._readable = encoding in (b"", b"identity")
        if not self._readable or not self.operation:
            self._separator = b""
        elif content_type.startswith(b"text/event-stream"):
            self._separator = b"\n\n"
        elif content_type.startswith((b"application/x-ndjson", b"application/jsonl")):
            self._separator = b"}\n"
        if self.operation:
            request = b"".join(self._request)
            name = model_named_in(request)
            if name:
                self._cells = self._ledger.model(name, status)
            if self._captured is not None:
                self._captured.response_head(request, content_type, encoding)
        self._request = []

    def response_body(self, pieces: list[bytes], now: float) -> None:
        """Look at what one read brought of the answer's body, free of transfer coding; this runs for every token."""
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if self._captured is not None:
            self._captured.add_response(piece)
        if self._separator:
            if self._first_token:
                self._count_events(piece, now)
            else:
                self._await_first_token(piece, now)
        self._tail.append(piece)
        self._tail_bytes += len(piece)
        if self._tail_bytes > 2 * _TAIL_BYTES:
            self._tail = [b"".join(self._tail)[-_TAIL_BYTES:]]
            self._tail_bytes = len(self._tail[0])

    def finish(self, ending: Ending, now: float) -> None:
        """Write the exchange down, once."""
        if self.finished:
            return
        self.finished = True
        self._ledger.in_flight[0] -= 1
        tail = b"".join(self._tail)
        status = self.status or (CLIENT_CLOSED_REQUEST if ending == "cancelled" else _BAD_GATEWAY)
        outcome = self._class(ending, tail)
        cells = self._cells or self._ledger.model(model_named_in(tail), status)
        self._ledger.finished(cells.model, self.operation, status, outcome, now - self.started)
        usage = usage_in(tail) if self.operation and self._readable else Usage()
        timings = self._timings(now, usage, outcome)
        self._count_tokens(cells, usage, timings)
        captured, self._captured = self._captured, None
        if captured is not None:
            self._gate.end(captured, self.operation, cells.model, status, _recorded(outcome), usage, timings)

    def abandon(self) -> None:
        """Give up observing after an exception: what was held is let go, and the exchange no longer counts as open."""
        if not self.finished:
            self.finished = True
            self._ledger.in_flight[0] -= 1
        if self._captured is not None:
            self._gate.release(self._captured)

    def _class(self, ending: Ending, tail: bytes) -> RequestClass:
        """Return whose doing the end was: a failing status says it, then the answer itself, then the connection."""
        if self.status >= 400:
            return class_of_status(self.status, busy=self._busy)
        if self._separator and reports_error(tail):
            return "error"
        return ending

    def _count_events(self, piece: bytes, now: float) -> None:
        cells = self._cells
        events = (
            self._events_in_split(piece)
            if self._edge or not piece.endswith(self._separator)
            else piece.count(self._separator)
        )
        if events and cells is not None:
            observe(cells.inter_chunk, _GAP_BOUNDS, now - self._last)
            if events > 1:
                cells.inter_chunk[0] += events - 1  # what came in the same read had no gap before it
            cells.chunks[0] += events
            self._last = now

    def _events_in_split(self, piece: bytes) -> int:
        """Count events where an event, or even its separator, may be split over two reads."""
        separator = self._separator
        events = piece.count(separator) + (self._edge + piece[: len(separator) - 1]).count(separator)
        self._edge = b"" if piece.endswith(separator) else (self._edge + piece)[1 - len(separator) :]
        return events

    def _await_first_token(self, piece: bytes, now: float) -> None:
        if self._cells is None:
            self._cells = self._ledger.model(model_named_in(piece), self.status)
        if self._separator == b"\n\n" and b"\r\n\r\n" in piece:
            self._separator = b"\r\n\r\n"
        self._cells.chunks[0] += self._events_in_split(piece)
        before = b"".join(self._tail[-FIRST_TOKEN_REACH:])[-FIRST_TOKEN_REACH:]
        if FIRST_TOKEN.search(before + piece):
            self._first_token = self._last = now
            observe(self._cells.ttft, _TTFT_BOUNDS, now - self.started)

    def _timings(self, now: float, usage: Usage, outcome: RequestClass) -> Timings:
        duration = (now - self.started) * 1000
        if not self._first_token:
            return Timings(duration)
        first = (self._first_token - self.started) * 1000
        tokens = usage.output_tokens or 0
        per_token = (duration - first) / (tokens - 1) if tokens > 1 and outcome == "ok" else None
        return Timings(duration, first, per_token)

    def _count_tokens(self, cells: ModelCells, usage: Usage, timings: Timings) -> None:
        if usage.input_tokens is not None:
            observe(cells.input_tokens, _TOKEN_BOUNDS, usage.input_tokens)
        if usage.output_tokens is not None:
            observe(cells.output_tokens, _TOKEN_BOUNDS, usage.output_tokens)
        if timings.per_output_token_ms is not None:
            observe(cells.tpot, _GAP_BOUNDS, timings.per_output_token_ms / 1000)


def _recorded(outcome: RequestClass) -> Outcome:
    """Return the outcome as records have it: whatever failed is an error there, and the status tells whose."""
    return "error" if outcome in ("client_error", "overload") else outcome  # type: ignore[return-value]
