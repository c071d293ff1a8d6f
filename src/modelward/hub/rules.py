"""What the hub may keep of each endpoint: a tightened policy holds here at once, before any collector reloads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from modelward.api.exchange import CONTENT_ORDER, Content, Exchange, Message
from modelward.hub.erased import Erased

HOUR_S = 3_600
KEEP_FOR_S = 168 * HOUR_S


@dataclass(frozen=True, slots=True)
class Rule:
    """Limits on the exchanges of one endpoint; times are Unix milliseconds, compared with when an exchange began.

    `uid` and `created_ms` are the endpoint's own; one that is recreated under its name is another endpoint. Of
    exchanges before `since_ms` nothing may be kept, before `metadata_before_ms` no text, before `redacted_before_ms`
    no raw text: what a rule once took away, no later rule gives back. `gone_ms` says since when the operator names
    the endpoint no longer: the rule holds on until what it governs is gone.
    """

    content: Content = "MetadataOnly"
    keep_for_s: int = KEEP_FOR_S
    max_body_bytes: int = 262_144
    uid: str = ""
    created_ms: int = 0
    since_ms: int = 0
    metadata_before_ms: int = 0
    redacted_before_ms: int = 0
    gone_ms: int | None = None
    erased: tuple[Erased, ...] = ()

    def allowed(self, time_ms: int) -> Content:
        """Return how much may be kept of an exchange that began then."""
        if time_ms < self.since_ms:
            return "None"
        rank = CONTENT_ORDER.index(self.content)
        if time_ms < self.metadata_before_ms:
            rank = min(rank, CONTENT_ORDER.index("MetadataOnly"))
        if time_ms < self.redacted_before_ms:
            rank = min(rank, CONTENT_ORDER.index("Redacted"))
        return CONTENT_ORDER[rank]

    def nothing_before_ms(self, now_ms: int) -> int:
        """Return the time before which nothing may be kept."""
        return max(now_ms - self.keep_for_s * 1_000, self.since_ms, *(one.before_ms for one in self.erased), 0)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule of each endpoint by `namespace/name`; endpoints that are not named get `default`.

    `erased` is what was erased, by `namespace/name` or by `namespace` where that is about all its endpoints. The
    endpoints in `unswept` may still have something on disk that may not be kept.
    """

    by_endpoint: Mapping[str, Rule] = field(default_factory=dict)
    default: Rule = Rule()
    erased: Mapping[str, Erased] = field(default_factory=dict)
    unswept: frozenset[str] = frozenset()

    def of(self, endpoint: str) -> Rule:
        """Return the endpoint's rule, with what was erased of it."""
        rule = self.by_endpoint.get(endpoint, self.default)
        if not self.erased:
            return rule
        found = (self.erased.get(endpoint.partition("/")[0]), self.erased.get(endpoint))
        marks = tuple(one for one in found if one)
        return replace(rule, erased=marks) if marks else rule


def limited(exchange: Exchange, rule: Rule, now_ms: int) -> Exchange | None:
    """Return what the rule leaves of an exchange, itself where that is all; None when nothing may be kept or shown.

    Raw text under a rule that wants it redacted is dropped, not redacted here: redaction is the collector's, before
    anything leaves the pod, and what slipped past it must not be trusted to a second try.
    """
    allowed = rule.allowed(exchange.time_ms)
    if "None" in (allowed, exchange.content) or exchange.time_ms < now_ms - rule.keep_for_s * 1_000:
        return None
    if any(mark.holds(exchange) for mark in rule.erased):
        return None
    if CONTENT_ORDER.index(exchange.content) > CONTENT_ORDER.index(allowed) or allowed == "MetadataOnly":
        return _bare(exchange)
    return _cut(exchange, rule.max_body_bytes)


def _bare(exchange: Exchange) -> Exchange:
    if exchange.content == "MetadataOnly" and not exchange.messages and not exchange.response:
        return exchange
    return replace(exchange, content="MetadataOnly", messages=(), response="")


def _cut(exchange: Exchange, budget: int) -> Exchange:
    """Cut the prompt and the response to `budget` bytes of UTF-8 each; of a long prompt the last turns stay."""
    kept: list[Message] = []
    left = budget
    for message in reversed(exchange.messages):
        text = _head(message.text, left)
        left -= len(text.encode())
        if text or not message.text:
            kept.append(Message(message.role, text))
    messages, response = tuple(reversed(kept)), _head(exchange.response, budget)
    if (messages, response) == (exchange.messages, exchange.response):
        return exchange
    return replace(exchange, messages=messages, response=response, truncated=True)


def _head(text: str, size: int) -> str:
    if len(text) * 4 <= size:
        return text
    return text.encode()[: max(0, size)].decode(errors="ignore")
