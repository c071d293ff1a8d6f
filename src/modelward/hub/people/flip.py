"""When an endpoint's health or a check became bad, and which requests are bad in its eyes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from modelward.api.endpoint_status import Change, LLMEndpointStatus
from modelward.api.exchange import Exchange
from modelward.api.history import BOUNDS, Latency
from modelward.api.outcome import RequestClass, class_of_status
from modelward.api.quantity import duration_ms
from modelward.hub.history.totals import PartTotals
from modelward.hub.people.checks import asked_in, time_ms

SHORTEST_MS = 900_000
LONGEST_MS = 6 * 3_600_000
_HOUR_MS = 3_600_000
_OPEN = ("Firing", "Held", "Pending")
_RATES: Mapping[str, tuple[tuple[RequestClass, ...], tuple[RequestClass, ...]]] = {
    "": (("error", "overload"), ("client_error",)),
    "ErrorRate": (("error",), ("client_error", "overload")),
    "ClientErrorRate": (("client_error",), ()),
    "OverloadRate": (("overload",), ("client_error",)),
}
"""Which classes are bad and which are left out, as each rate of a policy has it; without one: all that failed."""
_LATENCIES: Mapping[str, Latency] = {
    "TimeToFirstToken": "ttft",
    "TimePerOutputToken": "tpot",
    "RequestDuration": "duration",
}


@dataclass(frozen=True, slots=True)
class BadRequests:
    """What counts as bad: classes of outcomes, or what took longer than a limit."""

    classes: tuple[RequestClass, ...] = _RATES[""][0]
    left_out: tuple[RequestClass, ...] = _RATES[""][1]
    latency: Latency | None = None
    limit_ms: int = 0

    def of_part(self, part: PartTotals) -> tuple[int, int]:
        """Return how many of history's requests count and how many of them are bad; a limit is the next bucket's."""
        if self.latency:
            buckets = part.latencies[self.latency]
            return sum(buckets), sum(buckets[bisect_left(BOUNDS[self.latency], self.limit_ms / 1_000) + 1 :])
        kept = {name: n for name, n in part.outcomes.items() if name not in self.left_out}
        return sum(kept.values()), sum(kept.get(name, 0) for name in self.classes)

    def of_exchange(self, exchange: Exchange) -> bool | None:
        """Return whether an exchange is bad; None where it does not count."""
        timings = exchange.timings
        if self.latency:
            taken = {
                "ttft": timings.first_token_ms, "tpot": timings.per_output_token_ms, "duration": timings.duration_ms,
            }[self.latency]  # fmt: skip
            return None if taken is None else taken > self.limit_ms
        found = class_of(exchange)
        return None if found in self.left_out else found in self.classes


def class_of(exchange: Exchange) -> RequestClass:
    """Return whose doing it was; a record does not say whether a 503 stood for overload, so it is an error."""
    if exchange.outcome != "error":
        return exchange.outcome
    found = class_of_status(exchange.status, busy=False)
    return "error" if found == "ok" else found


@dataclass(frozen=True, slots=True)
class AskedFlip:
    """What is asked about: when it became bad, None where it is not, and what is bad.

    Of an evaluation, `scored` is its policy and name, and what it flagged is bad.
    """

    at_ms: int | None
    bad: BadRequests = field(default_factory=BadRequests)
    scored: tuple[str, str] | None = None

    def spans(self, now_ms: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the time before and after, equally long as far as there is that much after: 15 minutes to 6 hours."""
        at_ms = min(self.at_ms or 0, now_ms)
        length_ms = min(LONGEST_MS, max(SHORTEST_MS, now_ms - at_ms))
        return (at_ms - length_ms, at_ms), (at_ms, min(now_ms, at_ms + length_ms))


def flip_of(status: LLMEndpointStatus, check: tuple[str, str] | None, spec: Mapping[str, Any]) -> AskedFlip | None:
    """Return the flip of health, or of a check with the spec of its policy; None where there is no such check."""
    if check is None:
        return AskedFlip(_unhealthy_ms(status))
    metric = next((one for one in status.metrics if (one.policy, one.name) == check), None)
    evaluation = next((one for one in status.evaluations if (one.policy, one.name) == check), None)
    asked = metric or evaluation
    if asked is None:
        return None
    at_ms = None
    if asked.verdict == "Failed" or (asked.verdict == "Unknown" and asked.was == "Failed"):
        at_ms = _episode_ms(status, check, "Objective" if metric else "Check")
        at_ms = at_ms or _unhealthy_ms(status) or time_ms(asked.observed_at)
    return AskedFlip(at_ms, _bad(spec, check[1])) if metric else AskedFlip(at_ms, scored=check)


def changes_before(status: LLMEndpointStatus, at_ms: int) -> tuple[Change, ...]:
    """Return what was changed in the hour before."""
    return tuple(one for one in status.changes if at_ms - _HOUR_MS <= (time_ms(one.time) or 0) <= at_ms)


def _unhealthy_ms(status: LLMEndpointStatus) -> int | None:
    return time_ms(status.health_since) if status.health in ("Degraded", "Unhealthy") else None


def _episode_ms(status: LLMEndpointStatus, check: tuple[str, str], kind: str) -> int | None:
    name = f"{kind}/{check[1]}"
    of_it = (one for one in status.alerts if (one.policy, one.name) == (check[0], name) and one.state in _OPEN)
    return next((time_ms(one.episode or one.since) for one in of_it), None)


def _bad(spec: Mapping[str, Any], name: str) -> BadRequests:
    asked = asked_in(spec, "objectives", name)
    metric = str(asked.get("metric", ""))
    if metric in _LATENCIES:
        with suppress(ValueError):
            return BadRequests((), (), _LATENCIES[metric], duration_ms(str(asked.get("maxDuration", ""))))
    return BadRequests(*_RATES.get(metric, _RATES[""]))
