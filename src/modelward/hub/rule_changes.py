"""What of older rules goes on to hold when new ones come: what was taken away once does not come back.

Pure: times are passed in, as Unix milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from modelward.api.exchange import CONTENT_ORDER, Content
from modelward.hub.rules import Rule, Rules
from modelward.hub.rules_format import AskedRules

AHEAD_MS = 10 * 60_000
"""How far the clock of a collector may be ahead."""

Newest = Callable[[str], int]
"""When the newest exchange began or ended that is held of an endpoint; 0 where none is."""


def changed(old: Rules, asked: AskedRules, now_ms: int, newest: Newest) -> Rules:
    """Return the rules in force after the operator asked for others."""
    rules: dict[str, Rule] = {}
    unswept = set(old.unswept)
    for name in {*old.by_endpoint, *asked.rules}:
        before, new = old.by_endpoint.get(name), asked.rules.get(name)
        if new is not None:
            rules[name] = _first(new, now_ms) if before is None else _next(before, new, now_ms, newest(name))
        elif before is not None:
            rules[name] = before if asked.spares(name) else _without(before, now_ms, newest(name))
        if newest(name) and (before is None or takes_away(before, rules[name])):
            unswept.add(name)
    return replace(old, by_endpoint=rules, unswept=frozenset(unswept))


def takes_away(before: Rule, after: Rule) -> bool:
    """Return whether something that the rule before let be kept may no longer be kept, age apart."""
    return (
        _rank(after.content) < _rank(before.content)
        or after.max_body_bytes < before.max_body_bytes
        or after.since_ms > before.since_ms
        or after.metadata_before_ms > before.metadata_before_ms
        or after.redacted_before_ms > before.redacted_before_ms
    )


def lapsed(rules: Rules, now_ms: int, held: Callable[[str], bool]) -> Mapping[str, Rule]:
    """Return the rules that are still needed: one of an endpoint that is gone ends with what it governs."""
    return {name: rule for name, rule in rules.by_endpoint.items() if not _over(rule, now_ms) or held(name)}


def _over(rule: Rule, now_ms: int) -> bool:
    # As long as keepFor, because collectors may still bring what they spooled.
    return rule.gone_ms is not None and rule.gone_ms + rule.keep_for_s * 1_000 < now_ms


def _first(asked: Rule, now_ms: int) -> Rule:
    created_ms = min(asked.created_ms, now_ms)
    return replace(asked, created_ms=created_ms, since_ms=created_ms)


def _next(before: Rule, asked: Rule, now_ms: int, newest_ms: int) -> Rule:
    if asked.uid and before.uid and asked.uid != before.uid:
        # From an operator that does not know yet of the endpoint that follows.
        return before if asked.created_ms < before.created_ms else _anew(before, asked, now_ms, newest_ms)
    created_ms = before.created_ms if before.uid else min(asked.created_ms, now_ms)
    kept = replace(
        asked,
        uid=asked.uid or before.uid,
        created_ms=created_ms,
        since_ms=max(before.since_ms, created_ms, _too_old_ms(before, asked, now_ms, newest_ms)),
        metadata_before_ms=before.metadata_before_ms,
        redacted_before_ms=before.redacted_before_ms,
    )
    return _barred(kept, before.content, now_ms, newest_ms)


def _anew(before: Rule, asked: Rule, now_ms: int, newest_ms: int) -> Rule:
    """Return the rule of an endpoint that was recreated: nothing that is older is its own.

    A collector of the endpoint before whose clock was ahead may have left something that looks younger.
    """
    created_ms = min(asked.created_ms or now_ms, now_ms)
    since_ms = max(before.since_ms, created_ms, min(newest_ms + 1, created_ms + AHEAD_MS))
    return replace(asked, created_ms=created_ms, since_ms=since_ms)


def _without(before: Rule, now_ms: int, newest_ms: int) -> Rule:
    """Return what holds of an endpoint that the operator names no longer: metadata, as long as its last rule said."""
    if before.gone_ms is not None:
        return before
    content: Content = CONTENT_ORDER[min(_rank(before.content), _rank("MetadataOnly"))]
    return _barred(replace(before, content=content, gone_ms=now_ms), before.content, now_ms, newest_ms)


def _barred(rule: Rule, before: Content, now_ms: int, newest_ms: int) -> Rule:
    """Return the rule with what it takes away, compared with the content before, taken away for good."""
    edge_ms = max(now_ms, newest_ms + 1)  # a collector's clock may be ahead of ours
    if _rank(rule.content) < _rank("MetadataOnly") <= _rank(before):
        return replace(rule, since_ms=edge_ms)
    if _rank(rule.content) < _rank("Redacted") <= _rank(before):
        return replace(rule, metadata_before_ms=edge_ms)
    if _rank(rule.content) < _rank("Full") <= _rank(before):
        return replace(rule, redacted_before_ms=edge_ms)
    return rule


def _too_old_ms(before: Rule, asked: Rule, now_ms: int, newest_ms: int) -> int:
    """Return before when exchanges are too old: by the shorter of two times to keep, once it has changed.

    Never beyond what is held, so that a clock that is wrong at this moment takes nothing of what comes.
    """
    if asked.keep_for_s > before.keep_for_s:
        return min(now_ms - before.keep_for_s * 1_000, newest_ms + 1)
    if asked.keep_for_s < before.keep_for_s:
        return min(now_ms, newest_ms + 1) - asked.keep_for_s * 1_000
    return 0


def _rank(content: Content) -> int:
    return CONTENT_ORDER.index(content)
