"""Rules as the operator sends them and as the hub stores them; a row that cannot be read costs itself only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from modelward.api.exchange import Content, whole_number
from modelward.hub.erased import erased_from_json, erased_to_json
from modelward.hub.errors import bad_request
from modelward.hub.layout import is_endpoint
from modelward.hub.rules import Rule, Rules

LONGEST_KEEP_FOR_S = 10 * 366 * 24 * 3_600
_ROW_ERRORS = (KeyError, TypeError, AttributeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class AskedRules:
    """What the operator wants in force. Endpoints whose row was `refused`, with its cause, keep theirs.

    So do those of `unseen` namespaces, of which the operator does not know what there is.
    """

    rules: Mapping[str, Rule]
    refused: Mapping[str, str] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()

    def spares(self, endpoint: str) -> bool:
        """Return whether an endpoint that has no rule here keeps the one that it had."""
        return endpoint in self.refused or endpoint.partition("/")[0] in self.unseen


def asked_from_json(data: Any, default: Rule) -> AskedRules:
    """Read the body of PUT /v1/rules; HubError 400 when it is no such body at all.

    `{"rules": {"ns/name": {"content", "keepForSeconds", "maxBodyBytes", "uid", "createdMs"}}, "unseen": ["ns"]}`
    """
    rows = data.get("rules") if isinstance(data, Mapping) else None
    if not isinstance(rows, Mapping):
        raise bad_request('not rules: {"rules": {"NAMESPACE/NAME": {...}}} is wanted')
    rules: dict[str, Rule] = {}
    refused: dict[str, str] = {}
    for name, row in rows.items():
        try:
            rules[_endpoint(name)] = _asked(row, default)
        except _ROW_ERRORS as error:
            refused[name[:300]] = f"{type(error).__name__}: {error}"[:200]
    unseen = data.get("unseen")
    return AskedRules(rules, refused, frozenset(map(str, unseen if isinstance(unseen, list) else ())))


def rules_to_json(rules: Rules) -> dict[str, Any]:
    """Return what is stored; the inverse of `rules_from_json`."""
    return {
        "rules": {name: _row(rule) for name, rule in rules.by_endpoint.items()},
        "erased": {name: erased_to_json(erased) for name, erased in rules.erased.items()},
        "unswept": sorted(rules.unswept),
    }


def rules_from_json(data: Any, default: Rule) -> tuple[Rules, list[str]]:
    """Read what was stored, and the names of rows that cannot be read; ValueError when it is nothing of that kind.

    What 0.1.0 stored says nothing of `unswept`; then every rule may be still to be carried out.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("rules"), Mapping):
        raise ValueError("stored rules are an object with rules")
    rules, bad = _readable(data["rules"], lambda row: _stored(row, default))
    erased, worse = _readable(data.get("erased") or {}, erased_from_json)
    unswept = data.get("unswept", [*rules])
    return Rules(rules, default, erased, frozenset(map(str, unswept)) | set(bad)), bad + worse


def _readable(rows: Mapping[str, Any], read: Any) -> tuple[dict[str, Any], list[str]]:
    found, bad = {}, []
    for name, row in rows.items():
        try:
            found[name] = read(row)
        except _ROW_ERRORS:
            bad.append(name)
    return found, bad


def _endpoint(name: str) -> str:
    if not is_endpoint(name):
        raise ValueError("the name of a rule is namespace/name")
    return name


def _asked(row: Mapping[str, Any], default: Rule) -> Rule:
    content: Content = row.get("content", default.content)
    if content not in get_args(Content):
        raise ValueError(f"content {content!r}")
    keep_for_s = whole_number(row.get("keepForSeconds", default.keep_for_s))
    max_body = whole_number(row.get("maxBodyBytes", default.max_body_bytes))
    created_ms = whole_number(row.get("createdMs", 0))
    if keep_for_s <= 0 or max_body < 0 or created_ms < 0:
        raise ValueError("keepForSeconds must be positive, maxBodyBytes and createdMs not negative")
    return Rule(content, min(keep_for_s, LONGEST_KEEP_FOR_S), max_body, str(row.get("uid", "")), created_ms)


def _stored(row: Mapping[str, Any], default: Rule) -> Rule:
    asked = _asked(row, default)
    gone = row.get("goneMs")
    return Rule(
        asked.content,
        asked.keep_for_s,
        asked.max_body_bytes,
        asked.uid,
        asked.created_ms,
        whole_number(row.get("sinceMs", 0)),
        whole_number(row.get("metadataBeforeMs", 0)),
        whole_number(row.get("redactedBeforeMs", 0)),
        None if gone is None else whole_number(gone),
    )


def _row(rule: Rule) -> dict[str, Any]:
    return {
        "content": rule.content,
        "keepForSeconds": rule.keep_for_s,
        "maxBodyBytes": rule.max_body_bytes,
        "uid": rule.uid,
        "createdMs": rule.created_ms,
        "sinceMs": rule.since_ms,
        "metadataBeforeMs": rule.metadata_before_ms,
        "redactedBeforeMs": rule.redacted_before_ms,
        "goneMs": rule.gone_ms,
    }
