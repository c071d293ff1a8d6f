"""The exchange under way as its meter sees it; whatever the meter raises ends the observation, never the exchange."""

from __future__ import annotations

from modelward.api.outcome import Ending
from modelward.collector.meter import ExchangeMeter
from modelward.collector.proxy_state import ProxyState, clock


class ExchangeObserver:
    """What a client's connection has of its current exchange's meter."""

    def __init__(self, proxy: ProxyState) -> None:
        self.proxy = proxy
        self.meter: ExchangeMeter | None = None

    def observe_request(self, piece: bytes) -> None:
        """Show the meter a part of the request's body."""
        if self.meter is not None:
            try:
                self.meter.request_body(piece)
            except Exception:  # noqa: BLE001 - an observer never harms an exchange
                self.stop_observing()

    def observe_whole_request(self, body: bytes, now: float) -> None:
        """Show the meter the body of a request that came with its head."""
        if self.meter is not None:
            try:
                self.meter.request_body(body)
                self.meter.request_ended(now)
            except Exception:  # noqa: BLE001 - an observer never harms an exchange
                self.stop_observing()

    def observe_request_end(self, now: float) -> None:
        """Signal to the meter that the request is complete."""
        if self.meter is not None:
            self.meter.request_ended(now)

    def stop_observing(self) -> None:
        """Give up observing this exchange after an exception."""
        meter, self.meter = self.meter, None
        if meter is not None:
            self.proxy.observer_failed(meter)

    def finish_meter(self, ending: Ending) -> None:
        """End the meter's work on this exchange, if it still goes on."""
        meter, self.meter = self.meter, None
        if meter is not None:
            try:
                meter.finish(ending, clock())
            except Exception:  # noqa: BLE001 - an observer never harms an exchange
                self.proxy.observer_failed(meter)
