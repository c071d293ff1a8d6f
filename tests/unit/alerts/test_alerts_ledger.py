"""What is remembered of alerts is one text of bounded size, and nobody is named in it who is told no more."""

from __future__ import annotations

import json

import pytest

from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.ledger import AlertLedger, LedgerRow, Present, key_of, remembered, with_ledger
from modelward.alerts.ledger_text import MAX_BYTES, ledger_from, text_of
from modelward.alerts.routing import Route, Routing
from modelward.api.base import Severity

NOW_MS = 1_795_480_000_000
ROUTINGS = {"baseline": Routing("baseline", (Route(("team", "shared/sre")),))}
TEAM = {"baseline": {"team": {"name": "team", "webhook": {"url": "https://hooks.example.com/in"}}}}


def row(endpoint: str, receiver: str = "team", severity: Severity = "Warning", began_ms: int = NOW_MS) -> LedgerRow:
    known = AlertDelivery(receiver, "tag-6b04", "Firing", severity, began_ms + 31_000, ref="thread-1")
    return LedgerRow(endpoint, "baseline", "Objective/errors", began_ms, severity, known)


def gone(endpoints: frozenset[str] = frozenset(), unread: frozenset[str] = frozenset()) -> Present:
    return Present((), {}, endpoints, ROUTINGS, TEAM, unread_endpoints=unread)


def test_a_ledger_is_read_back_as_it_was_written() -> None:
    ledger = AlertLedger((row("chat"), row("chat", "shared/sre", "Critical")), TEAM)
    text, left_out = text_of(ledger)
    assert (ledger_from(text), left_out) == (ledger, 0)


def test_5000_endpoints_with_two_receivers_fit_and_more_leave_out_the_mildest_and_newest() -> None:
    name = "a-name-as-long-as-people-write-them"
    pairs = [row(f"{name}-{number}", receiver) for number in range(5_000) for receiver in ("shared/sre", "team")]
    text, left_out = text_of(AlertLedger(tuple(pairs), TEAM))
    assert len(text.encode()) <= MAX_BYTES
    assert left_out <= 2_500
    few = AlertLedger((row("new", began_ms=NOW_MS + 1_000), row("old"), row("grave", severity="Critical")), TEAM)
    whole = len(text_of(few)[0])
    text, left_out = text_of(few, whole - 1)
    assert [one.endpoint for one in ledger_from(text).rows][:1] == ["grave"]
    assert "new" not in {one.endpoint for one in ledger_from(text).rows}
    assert left_out >= 1


@pytest.mark.parametrize("text", ["", "[]", "{", '{"incidents": 1}', '{"incidents":[],"alerts":[[1]],"receivers":{}}'])
def test_a_text_that_is_none_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="no ledger of alerts"):
        ledger_from(text)


def test_what_is_gone_is_closed_and_what_cannot_be_read_is_not() -> None:
    ledger = AlertLedger((row("chat"), row("odd")), TEAM)
    there = gone(frozenset({"odd"}), frozenset({"odd"}))
    (closed,) = with_ledger(there, "retail", ledger)
    assert (key_of(closed), closed.episode.state, closed.episode.held) == (
        ("chat", "baseline", "Objective/errors"), "Closed", "EndpointDeleted",
    )  # fmt: skip
    assert remembered([closed], there, ledger) == ledger


def test_only_receivers_that_have_still_to_be_told_are_kept() -> None:
    ledger = AlertLedger((row("chat", "shared/sre"),), TEAM)
    text, _ = text_of(remembered(with_ledger(gone(), "retail", ledger), gone(), ledger))
    assert json.loads(text)["receivers"] == {}
    assert "hooks.example.com" not in text


def test_a_firing_message_that_may_have_arrived_counts_as_arrived_where_its_endpoint_is_gone() -> None:
    sent = AlertDelivery("team", "tag-6b04", sending="Firing", sending_ms=NOW_MS)
    (closed,) = with_ledger(
        gone(), "retail", AlertLedger((LedgerRow("chat", "baseline", "NotReady", NOW_MS, "Critical", sent),), TEAM)
    )
    (known,) = closed.deliveries
    assert (known.open, known.sending, known.at_ms) == (True, "", NOW_MS)
