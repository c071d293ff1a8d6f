"""One exchange as it passes: first token, gaps, tokens, outcome. It only looks; the bytes have already gone on."""

from __future__ import annotations

from modelward.api.exchange import Outcome, Timings, Usage
from modelward.api.outcome import CLIENT_CLOSED_REQUEST, Ending, RequestClass, class_of_status
from modelward.collector import families
from modelward.collector.answer_tail import MOST_BYTES, AnswerTail
from modelward.collector.capture import Captured, CaptureGate
from modelward.collector.content_coding import DECODER_BYTES, Decoder, can_decode
from modelward.collector.families import FAMILIES
from modelward.collector.metrics_recorder import ExchangeCounts, ModelCells, observe
from modelward.collector.operations import operation_of
from modelward.collector.request_copy import RequestCopy
from modelward.collector.request_head import RequestHead
from modelward.collector.stream_events import HELD_BYTES, StreamEvents
from modelward.collector.stream_signs import model_named_in
from modelward.collector.usage_reading import NO_USAGE

_BAD_GATEWAY = 502
_ANSWER_BYTES = MOST_BYTES + HELD_BYTES
"""What reading one answer holds."""
_TTFT_BOUNDS = FAMILIES[families.TTFT].bounds
_GAP_BOUNDS = FAMILIES[families.INTER_CHUNK].bounds
_TOKEN_BOUNDS = FAMILIES[families.TOKENS].bounds


class ExchangeMeter:
    """Observes one exchange; any exception out of it makes the caller drop it, never the exchange.

    Times are seconds of one monotonic clock. `started` is when the request's head was complete, `asked` when all of it
    was: only from then on the model can be waited for, so latencies begin there.
    """

    __slots__ = (
        "_asked",
        "_begun",
        "_busy",
        "_caller",
        "_captured",
        "_cells",
        "_content_type",
        "_decoder",
        "_encoding",
        "_events",
        "_first_token",
        "_gate",
        "_last",
        "_reading",
        "_recorder",
        "_request",
        "_reserved",
        "_tail",
        "_unlabelled",
        "finished",
        "operation",
        "started",
        "status",
    )  # fmt: skip

    def __init__(self, recorder: ExchangeCounts, gate: CaptureGate, head: RequestHead, started: float) -> None:
        self._recorder, self._gate = recorder, gate
        self.operation = operation_of(head.method, head.path)
        self.started = self._asked = started
        self.status = 0
        self.finished = self._begun = self._busy = self._reading = self._unlabelled = False
        self._request = RequestCopy(gate.budget)
        self._reserved = 0
        self._cells: ModelCells | None = None
        self._decoder: Decoder | None = None
        self._events: StreamEvents | None = None
        self._first_token = self._last = 0.0
        self._tail: AnswerTail | None = None  # while an answer is read, and can be
        self._caller = head.caller
        self._captured: Captured | None = gate.begin(head) if self.operation and recorder.captures else None
        recorder.in_flight[0] += 1
        recorder.started[0] += 1

    def request_body(self, piece: bytes) -> None:
        """Look at a piece of the request's body."""
        if not self._begun:
            self._request.add(piece)
        if self._captured is not None:
            self._captured.add_request(piece)

    def request_ended(self, now: float) -> None:
        """Note that the request is complete; a client that uploads slowly is not a slow model."""
        if not self._begun:
            self._asked = now
            if self._captured is not None:
                self._captured.request_known(self._request.value())

    def response_head(self, status: int, content_type: bytes, encoding: bytes, *, asks_to_retry: bool = False) -> None:
        """Note how the answer begins, and whom it is to be counted for; `asks_to_retry` is for Retry-After."""
        self._begun = True
        self._busy = status >= 400 and (asks_to_retry or self._recorder.engine_queues)
        self.status = status
        self._content_type, self._encoding = content_type, encoding
        if self.operation:
            request = self._request.value()
            name = model_named_in(request)
            if name:
                self._cells = self._recorder.model(name, status)
            if self._captured is not None:
                self._captured.response_head(request, content_type, encoding)
        self._request.clear()

    def response_body(self, pieces: list[bytes], now: float) -> None:
        """Look at what one read brought of the answer's body, free of transfer coding; this runs for every token."""
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if self._captured is not None:
            self._captured.add_response(piece)
        if not self._reading:
            self._begin_reading()
        if self._decoder is not None:
            piece = self._decoder.decode(piece)
        tail = self._tail
        if tail is None or not piece:
            return
        if self._unlabelled:
            self._unlabelled = False
            if piece.startswith((b"data:", b"event:", b":")):
                self._events = StreamEvents(lines=False)
        if self._events is not None:
            self._count_events(self._events, piece, now)
        tail.add(piece)

    def finish(self, ending: Ending, now: float) -> None:
        """Write the exchange down, once."""
        if self.finished:
            return
        self.finished = True
        if self._begun and not self._reading:
            self._begin_reading()
        self._let_go()
        self._recorder.in_flight[0] -= 1
        status = self.status or (CLIENT_CLOSED_REQUEST if ending == "cancelled" else _BAD_GATEWAY)
        if not self.operation:
            self._recorder.finished("", "", status, ending, now - self._asked)
            return
        tail = self._read_tail()
        outcome = self._class(ending, tail)
        if ending == "cancelled" and outcome == "ok":
            now = self._last or now  # it was complete before the client left
        cells = self._cells or self._recorder.model(tail.model() if tail is not None else "", status)
        self._recorder.finished(cells.model, self.operation, status, outcome, now - self._asked)
        usage = tail.usage() if tail is not None else NO_USAGE
        per_token = self._seconds_per_token(now, usage, outcome) if self._first_token else None
        self._count_tokens(cells, usage, per_token)
        caller = self._recorder.asked_by(self._caller, status, cells.model, usage)
        captured, self._captured = self._captured, None
        if captured is not None:
            captured.time_ms += round((self._asked - self.started) * 1000)
            captured.caller = caller
            timings = self._timings(now, per_token)
            self._gate.end(captured, self.operation, cells.model, status, _recorded(outcome), usage, timings)

    def abandon(self) -> None:
        """Give up observing after an exception: what was held is let go, and the exchange no longer counts as open."""
        if not self.finished:
            self.finished = True
            self._recorder.in_flight[0] -= 1
        self._let_go()
        if self._captured is not None:
            self._gate.release(self._captured)

    def _let_go(self) -> None:
        """Give back what was reserved for the request and the answer."""
        self._request.clear()
        reserved, self._reserved = self._reserved, 0
        self._gate.budget.give_back(reserved)

    def _begin_reading(self) -> None:
        """Choose how the answer's body is to be read; what asks no model is not read at all."""
        self._reading = True
        if not self.operation:
            return
        coded = self._encoding not in (b"", b"identity")
        size = _ANSWER_BYTES + (DECODER_BYTES if coded else 0)
        if (coded and not can_decode(self._encoding)) or not self._gate.budget.take(size):
            return
        self._reserved = size
        self._tail = AnswerTail()
        if coded:
            self._decoder = Decoder()
        content_type = self._content_type
        if content_type.startswith(b"text/event-stream"):
            self._events = StreamEvents(lines=False)
        elif content_type.startswith((b"application/x-ndjson", b"application/jsonl")):
            self._events = StreamEvents(lines=True)
        else:
            self._unlabelled = not content_type or content_type.startswith(b"text/plain")

    def _read_tail(self) -> AnswerTail | None:
        """Return what was read of the answer; without it, its tokens and first token are unknown, which is counted."""
        if self._decoder is not None and self._decoder.lost:
            self._tail = None
        if self._begun and self._tail is None:
            self._recorder.count(families.UNREAD)
        return self._tail

    def _class(self, ending: Ending, tail: AnswerTail | None) -> RequestClass:
        """Return whose doing the end was: a failing status says it, then the answer itself, then the connection."""
        if self.status >= 400:
            return class_of_status(self.status, busy=self._busy)
        sign = tail.end(stream=self._events is not None) if tail is not None else ""
        if sign == "error":
            return "error"
        return "ok" if sign == "complete" else ending

    def _count_events(self, stream: StreamEvents, piece: bytes, now: float) -> None:
        cells = self._cells
        if cells is None:
            cells = self._cells = self._recorder.model(model_named_in(piece), self.status)
        events = stream.take(piece)
        if self._first_token:
            if events:
                observe(cells.inter_chunk, _GAP_BOUNDS, now - self._last)
                if events > 1:  # what came in the same read had no gap before it
                    cells.inter_chunk[0] += events - 1
                self._last = now
        elif stream.token_seen:
            self._first_token = self._last = now
            observe(cells.ttft, _TTFT_BOUNDS, now - self._asked)
        cells.chunks[0] += events

    def _seconds_per_token(self, now: float, usage: Usage, outcome: RequestClass) -> float | None:
        """Return the time per token after the first, None where it is unknown."""
        tokens = usage.output_tokens or 0
        return (now - self._first_token) / (tokens - 1) if tokens > 1 and outcome == "ok" else None

    def _timings(self, now: float, per_token: float | None) -> Timings:
        return Timings(
            (now - self._asked) * 1000,
            (self._first_token - self._asked) * 1000 if self._first_token else None,
            per_token * 1000 if per_token is not None else None,
        )

    def _count_tokens(self, cells: ModelCells, usage: Usage, per_token: float | None) -> None:
        if usage.input_tokens is not None:
            observe(cells.input_tokens, _TOKEN_BOUNDS, usage.input_tokens)
        if usage.output_tokens is not None:
            observe(cells.output_tokens, _TOKEN_BOUNDS, usage.output_tokens)
        if usage.cached_input_tokens:
            cells.cached_tokens[0] += usage.cached_input_tokens
        if per_token is not None:
            observe(cells.tpot, _GAP_BOUNDS, per_token)


def _recorded(outcome: RequestClass) -> Outcome:
    """Return the outcome as records have it: whatever failed is an error there, and the status shows whose."""
    return "error" if outcome in ("client_error", "overload") else outcome  # type: ignore[return-value]
