"""Which exchanges are kept, and the budget they are kept in; the data plane's half of capturing.

Nothing here waits: what does not fit is dropped and counted.
"""

from __future__ import annotations

import hashlib
import random
import socket
import time

from modelward.api.collector_config import CaptureSettings, CollectorConfig
from modelward.api.exchange import Outcome, Timings, Usage
from modelward.collector import families
from modelward.collector.handover import CapturedExchange, send
from modelward.collector.memory_budget import HeldBytes, MemoryBudget
from modelward.collector.metrics_recorder import MetricsRecorder
from modelward.collector.request_head import RequestHead
from modelward.collector.shared_metrics import Cell
from modelward.collector.stream_signs import conversation_named_in

_PPM = 1_000_000


class Captured:
    """One exchange's bodies while it runs. `whole` is False once something of them was left out."""

    __slots__ = (
        "_limit",
        "_request_bytes",
        "_response_bytes",
        "caller",
        "client_ids",
        "content_type",
        "conversation",
        "gate",
        "held",
        "lost",
        "request",
        "request_encoding",
        "response",
        "response_encoding",
        "sampled",
        "time_ms",
        "whole",
    )

    def __init__(self, gate: CaptureGate, head: RequestHead, sampled: bool | None, limit: int) -> None:
        self.gate = gate
        self.sampled = sampled
        self.time_ms = time.time_ns() // 1_000_000
        self.conversation = head.conversation
        self.client_ids = head.client_ids
        self.caller = ""
        self.request_encoding, self.response_encoding, self.content_type = head.encoding, b"", b""
        self.request = HeldBytes()
        self.response = HeldBytes()
        self.held = self._request_bytes = self._response_bytes = 0
        self.whole = True
        self.lost = False
        self._limit = limit

    def add_request(self, piece: bytes) -> None:
        """Hold a piece of the request's body."""
        self._request_bytes = self._add(self.request, piece, self._request_bytes)

    def add_response(self, piece: bytes) -> None:
        """Hold a piece of the response's body."""
        self._response_bytes = self._add(self.response, piece, self._response_bytes)

    def request_known(self, request: bytes) -> None:
        """Decide on the sample now that the request's body, which may name the conversation, is known."""
        if self.sampled is None:
            self.conversation = self.conversation or conversation_named_in(request)
            self.gate.decide(self)

    def response_head(self, request: bytes, content_type: bytes, encoding: bytes) -> None:
        """Note the response's coding."""
        self.content_type, self.response_encoding = content_type, encoding
        self.request_known(request)

    def _add(self, pieces: HeldBytes, piece: bytes, known: int) -> int:
        if self.lost:
            return known
        room = self._limit - known
        if room < len(piece):
            self.whole = False
            piece = piece[:room]
        if piece and self.gate.take(self, len(piece)):
            pieces.add(piece)
        return known + len(piece)


class CaptureGate:
    """Decides what is kept, and hands it to the worker without ever waiting for it."""

    def __init__(
        self,
        recorder: MetricsRecorder,
        channel: socket.socket | None,
        handed: Cell,
        taken: Cell,
        *,
        to_file: bool,
        budget: MemoryBudget | None = None,
    ) -> None:
        self.budget = budget or MemoryBudget()
        self._most_held = self.budget.limit // 2
        self._recorder, self._channel = recorder, channel
        self._handed, self._taken = handed, taken
        self._to_file = to_file
        self._held = 0
        self._in_case: dict[Captured, None] = {}
        self._settings = CaptureSettings()
        self._open = False
        self.enough_memory = True

    def configure(self, config: CollectorConfig) -> None:
        """Take new settings; exchanges that already run keep what was decided for them."""
        self._settings = config.capture
        wanted = config.capture.sample_ppm or config.capture.always_errors or config.capture.always_slower_than_ms
        somewhere = config.hub_url is not None or self._to_file
        self._open = bool(wanted and somewhere and config.capture.content != "None" and self._channel)

    def begin(self, head: RequestHead) -> Captured | None:
        """Start holding an exchange if it may be kept in the end."""
        if not self._open or not self.enough_memory:
            return None
        settings = self._settings
        if not settings.sample_ppm and not self._keeps_some_anyway:
            return None
        captured = Captured(self, head, None if settings.sample_ppm else False, settings.max_body_bytes)
        if captured.sampled is False:
            self._in_case[captured] = None
        return captured

    def decide(self, captured: Captured) -> None:
        """Draw the sample: by conversation where the request names one, so that whole conversations are kept."""
        if captured.sampled is not None:
            return
        rate = self._settings.sample_ppm
        if captured.conversation:
            digest = hashlib.blake2b(captured.conversation, digest_size=8, person=b"sample").digest()
            captured.sampled = int.from_bytes(digest) * _PPM < rate << 64
        else:
            captured.sampled = random.random() * _PPM < rate  # noqa: S311 - a sample, not a secret
        if captured.sampled:
            return
        if self._keeps_some_anyway:
            self._in_case[captured] = None
        else:
            self._lose(captured)

    @property
    def _keeps_some_anyway(self) -> bool:
        """Whether an exchange that is not in the sample may be kept because it fails or is slow."""
        return self._settings.always_errors or self._settings.always_slower_than_ms is not None

    def take(self, captured: Captured, size: int) -> bool:
        """Reserve bytes of the budget, which also counts what the worker has not taken yet.

        What is held only in case it fails or is slow makes way, the oldest first: most of it will never be kept.
        """
        while not self._room(size):
            victim = next((one for one in self._in_case if one is not captured), captured)
            self._lose(victim)
            if victim is captured:
                return False
        self._held += size
        captured.held += size
        return True

    def _room(self, size: int) -> bool:
        over = self._held + size + self._handed[0] - self._taken[0] > self._most_held
        return not over and self.budget.take(size)

    def _lose(self, captured: Captured) -> None:
        captured.lost, captured.whole = True, False
        self.release(captured)

    def release(self, captured: Captured) -> None:
        """Give back what an exchange reserved."""
        self._held -= captured.held
        self.budget.give_back(captured.held)
        captured.held = 0
        self._in_case.pop(captured, None)
        captured.request.clear()
        captured.response.clear()

    def end(
        self,
        captured: Captured,
        operation: str,
        model: str,
        status: int,
        outcome: Outcome,
        usage: Usage,
        timings: Timings,
    ) -> None:
        """Hand the exchange over if it is to be kept, and let go of it in any case."""
        try:
            self.decide(captured)
            inclusion = self._inclusion(captured, outcome, timings.duration_ms)
            if inclusion and captured.lost and not self._always(outcome, timings.duration_ms):
                self._recorder.count(families.DROPPED, "budget")
            elif inclusion and self._channel is not None and self._open:
                self._hand_over(
                    CapturedExchange(
                        time_ms=captured.time_ms,
                        operation=operation,
                        model=model,
                        status=status,
                        outcome=outcome,
                        inclusion=inclusion,
                        truncated=not captured.whole,
                        conversation=captured.conversation.decode("latin-1"),
                        caller=captured.caller,
                        client_ids=captured.client_ids.decode("latin-1"),
                        content_type=captured.content_type.decode("latin-1"),
                        request_encoding=captured.request_encoding.decode("latin-1"),
                        response_encoding=captured.response_encoding.decode("latin-1"),
                        usage=usage,
                        timings=timings,
                        request=captured.request.value(),
                        response=captured.response.value(),
                    )
                )
        finally:
            self.release(captured)

    def _inclusion(self, captured: Captured, outcome: Outcome, duration_ms: float) -> float:
        if self._always(outcome, duration_ms):
            return 1.0
        return self._settings.sample_ppm / _PPM if captured.sampled else 0.0

    def _always(self, outcome: Outcome, duration_ms: float) -> bool:
        """Whether it is kept whatever the sample says; where there was no room for its texts, without them."""
        slow = self._settings.always_slower_than_ms
        return (self._settings.always_errors and outcome == "error") or (slow is not None and duration_ms >= slow)

    def _hand_over(self, parcel: CapturedExchange) -> None:
        size = len(parcel.request) + len(parcel.response)
        try:
            assert self._channel is not None  # noqa: S101
            send(self._channel, parcel, self._handed[0] + size)
        except BlockingIOError:
            self._recorder.count(families.DROPPED, "worker_busy")
        except OSError:
            self._recorder.count(families.DROPPED, "worker_gone")
        else:
            self._handed[0] += size
            self._recorder.count(families.CAPTURED)
