"""Whatever a message says, each service takes what is made of it, and reads no markup in it."""

from __future__ import annotations

import json
import unicodedata
from email import message_from_bytes, policy
from typing import Any

import pytest
from github_service import good_issue, markup
from hypothesis import given, settings
from hypothesis import strategies as st
from pagerduty_service import ROUTING_KEY, event_fault
from plain_receiver import postable
from receiver_cases import HOSTILE, RECEIVERS, receiver
from slack_service import checked
from teams_service import MESSAGE_BYTES, is_card

from modelward.alerts.message import AlertEvidence, AlertFact, AlertMessage
from modelward.alerts.receiver import Addressee, HttpCall, Mail, Outgoing
from modelward.alerts.receivers.registry import receiver_of
from modelward.alerts.receivers.text import lines, plain

SAID = st.one_of(
    st.text(max_size=20), st.sampled_from(HOSTILE), st.text(min_size=1, max_size=4).map(lambda text: text * 500)
)
NAMED = st.one_of(st.from_regex(r"[a-z][a-z0-9-]{0,62}", fullmatch=True), SAID)
SEVERITIES = st.sampled_from(["Info", "Warning", "Critical"])
FACTS: st.SearchStrategy[AlertFact] = st.builds(
    AlertFact,
    key=st.just("k"),
    namespace=NAMED,
    endpoint=NAMED,
    policy=NAMED,
    name=st.one_of(st.sampled_from(["NotReady", "Objective/errors", "Check/x", "BudgetBurn/errors"]), SAID),
    severity=SEVERITIES,
    state=st.sampled_from(["Firing", "Held", "Resolved", "Closed"]),
    since_ms=st.integers(1_700_000_000_000, 1_800_000_000_000),
    episode=SAID,
    what=SAID,
    evidence=st.builds(AlertEvidence, SAID, SAID, SAID, st.integers(0, 10**9), SAID),
    held=SAID,
    changed=st.lists(SAID, max_size=3).map(tuple),
    next_command=SAID,
    url=st.sampled_from(["", "https://console.example.com/retail/chat"]),
)
MESSAGES: st.SearchStrategy[AlertMessage] = st.builds(
    AlertMessage,
    key=st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True),
    sequence=st.integers(0, 10**6),
    kind=st.sampled_from(["Firing", "Raised", "Repeated", "Flapping", "Resolved", "Closed", "Test"]),
    cluster=SAID,
    title=SAID,
    alerts=st.lists(FACTS, max_size=3).map(tuple),
    sent_ms=st.just(1_800_000_000_000),
    open=st.integers(0, 300),
    more=st.integers(0, 300),
    severity=SEVERITIES,
    url=st.sampled_from(["", "https://console.example.com/alerts"]),
)


def first(name: str, message: AlertMessage, ref: str = "") -> Outgoing:
    to = Addressee(receiver(name), ref)
    return receiver_of(to.receiver).requests(message, to)[0]


def body(name: str, message: AlertMessage, ref: str = "") -> Any:
    call = first(name, message, ref)
    assert isinstance(call, HttpCall)
    return json.loads(call.body)


@given(MESSAGES)
@settings(max_examples=40)
def test_slack_takes_it_and_calls_nobody(message: AlertMessage) -> None:
    assert checked(body("slack", message))["blocks"]


@given(MESSAGES)
@settings(max_examples=40)
def test_teams_shows_the_card(message: AlertMessage) -> None:
    call = first("teams", message)
    assert isinstance(call, HttpCall)
    assert len(call.body) <= MESSAGE_BYTES
    assert is_card(json.loads(call.body)["attachments"][0]["content"])


@given(MESSAGES)
@settings(max_examples=40)
def test_pagerduty_takes_the_event(message: AlertMessage) -> None:
    assert event_fault({**body("pagerduty", message), "routing_key": ROUTING_KEY}) == ""


@given(MESSAGES)
@settings(max_examples=40)
def test_github_reads_no_mention_and_no_html(message: AlertMessage) -> None:
    issue = body("github", message, ref="7")
    assert good_issue(issue)
    assert markup(issue["body"]) == []
    assert issue["body"].rstrip().endswith(f"<!-- modelward:{message.key} -->")


@given(MESSAGES)
@settings(max_examples=40)
def test_an_alertmanager_takes_every_alert(message: AlertMessage) -> None:
    assert all(map(postable, body("alertmanager", message)))


@given(MESSAGES)
@settings(max_examples=40)
def test_a_mail_has_the_headers_that_we_wrote_and_no_others(message: AlertMessage) -> None:
    mail = first("email", message)
    assert isinstance(mail, Mail)
    found = message_from_bytes(mail.raw, policy=policy.default)
    assert sorted({name.lower() for name in found}) == [
        "auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "references", "subject", "to",
        "x-modelward-key",
    ]  # fmt: skip
    part = found.get_body(("html",))
    assert part is not None
    assert "<script" not in part.get_content()
    assert "<img" not in part.get_content()


@pytest.mark.parametrize("name", sorted(RECEIVERS))
@given(message=MESSAGES)
@settings(max_examples=10)
def test_the_same_message_gives_the_same_bytes(name: str, message: AlertMessage) -> None:
    assert first(name, message) == first(name, message)


@given(FACTS)
def test_lines_hold_what_is_seen_and_are_bounded(fact: AlertFact) -> None:
    for line in lines(fact, 1_800_000_000_000):
        assert 0 < len(line.value) <= 600
        assert all(unicodedata.category(one) not in ("Cc", "Cf", "Cs") for one in line.value)


@given(st.text(max_size=100))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert plain(plain(text)) == plain(text)
