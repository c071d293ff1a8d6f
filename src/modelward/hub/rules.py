"""What the hub may keep of each endpoint: a tightened policy holds here at once, before any collector reloads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from modelward.api.exchange import CONTENT_ORDER, Content, Exchange, Message, whole_number
from modelward.hub.errors import bad_request
from modelward.hub.layout import is_endpoint

HOUR_S = 3_600
KEEP_FOR_S = 168 * HOUR_S
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Rule:
    """Limits on the exchanges of one endpoint."""

    content: Content = "MetadataOnly"
    keep_for_s: int = KEEP_FOR_S
    max_body_bytes: int = 262_144


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule of each endpoint by `namespace/name`; endpoints that are not named get `default`."""

    by_endpoint: Mapping[str, Rule] = field(default_factory=dict)
    default: Rule = Rule()
    refused: tuple[str, ...] = field(default=(), compare=False)
    """Names of rows that could not be read, cut; their endpoints have the default."""

    def of(self, endpoint: str) -> Rule:
        """Return the endpoint's rule."""
        return self.by_endpoint.get(endpoint, self.default)


def rules_from_json(data: Any, default: Rule) -> Rules:
    """Read `{"rules": {"ns/name": {"content", "keepForSeconds", "maxBodyBytes"}}}`; HubError 400 when it is not.

    A row that cannot be read is left out and named in `refused`; it costs its own endpoint its text, never another one.
    """
    rows = data.get("rules") if isinstance(data, Mapping) else None
    if not isinstance(rows, Mapping):
        raise bad_request('not rules: send {"rules": {"namespace/name": {...}}}')
    rules: dict[str, Rule] = {}
    refused: list[str] = []
    for name, row in rows.items():
        try:
            rules[_endpoint(name)] = _rule(row, default)
        except (TypeError, AttributeError, ValueError, OverflowError):
            refused.append(str(name)[:_SHOWN])
    return Rules(rules, default, tuple(refused))


def _endpoint(name: str) -> str:
    if not is_endpoint(name):
        raise ValueError("the name of a rule is namespace/name")
    return name


def rules_to_json(rules: Rules) -> dict[str, Any]:
    """Return the JSON object; the inverse of `rules_from_json`."""
    return {
        "rules": {
            name: {"content": r.content, "keepForSeconds": r.keep_for_s, "maxBodyBytes": r.max_body_bytes}
            for name, r in rules.by_endpoint.items()
        }
    }


def _rule(row: Mapping[str, Any], default: Rule) -> Rule:
    content = row.get("content", default.content)
    if content not in get_args(Content):
        raise ValueError(f"content {content!r}")
    keep_for_s, max_body = (
        whole_number(row.get("keepForSeconds", default.keep_for_s)),
        whole_number(row.get("maxBodyBytes", default.max_body_bytes)),
    )
    if keep_for_s <= 0 or max_body < 0:
        raise ValueError("keepForSeconds must be positive, maxBodyBytes not negative")
    return Rule(content, keep_for_s, max_body)


def limited(exchange: Exchange, rule: Rule, now_ms: int) -> Exchange | None:
    """Return what the rule leaves of an exchange; None when nothing of it may be kept or shown.

    Raw text under a rule that wants it redacted is dropped, not redacted here: redaction is the collector's, before
    anything leaves the pod, and what slipped past it must not be trusted to a second try.
    """
    if rule.content == "None" or exchange.content == "None" or exchange.time_ms < now_ms - rule.keep_for_s * 1_000:
        return None
    if CONTENT_ORDER.index(exchange.content) > CONTENT_ORDER.index(rule.content) or rule.content == "MetadataOnly":
        return replace(exchange, content="MetadataOnly", messages=(), response="")
    return _cut(exchange, rule.max_body_bytes)


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
