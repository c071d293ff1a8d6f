"""A ledger as one text of bounded size: what several alerts share is written once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.episode import SEVERITY_ORDER
from modelward.alerts.ledger import AlertLedger, LedgerRow, receivers_of

MAX_BYTES = 900_000
"""Below what an object may have: some 8,000 alerts."""
_TOLD = ("", "Firing", "Resolved", "Closed")


def text_of(ledger: AlertLedger, most_bytes: int = MAX_BYTES) -> tuple[str, int]:
    """Return the text, and how many rows are left out of it: the mildest, and of those the newest."""
    text = _text(ledger)
    if len(text.encode()) <= most_bytes:
        return text, 0
    ranked = sorted(ledger.rows, key=lambda row: (-SEVERITY_ORDER.index(row.severity), row.began_ms))
    while ranked and len(text.encode()) > most_bytes:
        ranked = ranked[: min(len(ranked) - 1, int(len(ranked) * 0.95 * most_bytes / len(text.encode())))]
        text = _text(AlertLedger(tuple(ranked), receivers_of(ranked, ledger.receivers)))
    return text, len(ledger.rows) - len(ranked)


def ledger_from(text: str) -> AlertLedger:
    """Return the ledger of a text; ValueError where it is none."""
    try:
        data = json.loads(text)
        incidents = [tuple(map(str, one)) for one in data["incidents"]]
        rows = tuple(_row(one, incidents) for one in data["alerts"])
        receivers = {str(policy): dict(specs) for policy, specs in data["receivers"].items()}
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"no ledger of alerts: {error!r}") from None
    return AlertLedger(rows, receivers)


def _text(ledger: AlertLedger) -> str:
    incidents: dict[tuple[str, str, str, str], int] = {}
    rows = [_listed(row, incidents) for row in ledger.rows]
    data = {"receivers": ledger.receivers, "incidents": list(incidents), "alerts": rows}
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def _listed(row: LedgerRow, incidents: dict[tuple[str, str, str, str], int]) -> list[Any]:
    known = row.delivery
    number = incidents.setdefault((row.policy, known.receiver, known.key, known.ref), len(incidents))
    return [
        *(row.endpoint, row.name, SEVERITY_ORDER.index(row.severity), row.began_ms // 1_000, number),
        *(_TOLD.index(known.told) if known.told in _TOLD else 0, SEVERITY_ORDER.index(known.severity)),
        *(known.at_ms // 1_000, known.sending, known.sending_ms // 1_000),
    ]


def _row(listed: Sequence[Any], incidents: Sequence[Iterable[str]]) -> LedgerRow:
    endpoint, name, severity, began, number, told, known, at, sending, sending_s = listed
    policy, receiver, key, ref = incidents[number]
    delivery = AlertDelivery(
        receiver=receiver,
        key=key,
        told=_TOLD[told],
        severity=SEVERITY_ORDER[known],
        at_ms=int(at) * 1_000,
        sending=str(sending),
        sending_ms=int(sending_s) * 1_000,
        ref=ref,
    )
    return LedgerRow(str(endpoint), policy, str(name), int(began) * 1_000, SEVERITY_ORDER[severity], delivery)
