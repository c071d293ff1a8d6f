"""score/v1: every exchange is asked once and within the limits; whatever is replied, each is scored once or failed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.api.exchange import Content, Exchange, Message, Timings, Usage
from modelward.api.score_service import Sends
from modelward.evaluate.port import ScoringReply
from modelward.evaluate.score import Score
from modelward.evaluate.score_contract import MAX_BODY_BYTES, MAX_RECORDS
from modelward.evaluate.score_contract.replies import scores
from modelward.evaluate.score_contract.requests import record, requests
from modelward.evaluate.score_contract.signature import signature

LABELS = frozenset({"off-brand"})


def exchange(name: str = "chatcmpl-1", answer: str = "Buy now!", content: Content = "Redacted") -> Exchange:
    return Exchange(
        id=name, time_ms=1_700_000_000_000, endpoint="retail/chat", model="m", revision="r1", operation="chat",
        status=200, outcome="ok", content=content, messages=(Message("user", "Mail me at ann@example.com"),),
        response=answer, conversation="9c1f", usage=Usage(412, 9), timings=Timings(812.5),
    )  # fmt: skip


def replied(*rows: Any, status: int = 200) -> ScoringReply:
    return ScoringReply(status, json.dumps({"scores": rows}).encode())


def scored(**changes: Any) -> dict[str, Any]:
    return {"id": "a", "state": "Scored", "flagged": True, "value": 0.83, "label": "off-brand", **changes}


def test_a_record_has_the_keys_of_the_contract() -> None:
    (asked,) = requests("brand", {"tone": "calm"}, [exchange()], "Redacted")
    body = json.loads(asked.body)
    assert (body["contract"], body["evaluator"], body["config"]) == ("score/v1", "brand", {"tone": "calm"})
    assert body["records"] == [
        {
            "id": "chatcmpl-1",
            "kind": "traffic",
            "messages": [{"role": "user", "content": "Mail me at ann@example.com"}],
            "response": "Buy now!",
            "context": [],
            "expected": None,
            "group": "9c1f",
            "attrs": {
                "model": "m", "operation": "chat", "timeMs": 1_700_000_000_000, "durationMs": 812.5,
                "inputTokens": 412, "outputTokens": 9, "truncated": False,
            },
        }
    ]  # fmt: skip


def test_text_that_was_captured_in_full_is_masked_before_it_is_sent() -> None:
    sent = json.dumps(record(exchange(answer="Call +44 20 7946 0958", content="Full"), "Redacted"))
    assert "ann@example.com" not in sent
    assert "7946" not in sent
    assert "[EMAIL]" in sent


def test_metadata_only_sends_no_text() -> None:
    sent = json.dumps(record(exchange(), "MetadataOnly"))
    assert "ann@" not in sent
    assert "Buy" not in sent
    assert '"inputTokens": 412' in sent


sizes = st.sampled_from([0, 1, 40, 30_000, 400_000, MAX_BODY_BYTES, 2 * MAX_BODY_BYTES])
texts = st.builds(lambda size, sign: sign * size, sizes, st.sampled_from(["x", "é", "\ud800", '"']))
sent_exchanges = st.lists(
    st.builds(lambda number, text: exchange(f"e{number}", text), st.integers(0, 200), texts), max_size=12
)
SENDS: list[Sends] = ["Redacted", "MetadataOnly"]


@settings(max_examples=30, deadline=None)
@given(sent_exchanges, st.sampled_from(SENDS))
def test_requests_hold_each_exchange_once_within_the_limits(exchanges: list[Exchange], sends: Sends) -> None:
    made = list(requests("brand", {}, exchanges, sends))
    ids = [name for one in made for name in one.ids]
    assert len(ids) == len(set(ids))
    for one in made:
        assert len(one.body) <= MAX_BODY_BYTES
        assert tuple(row["id"] for row in json.loads(one.body)["records"]) == one.ids
    alone = {row.id: next(iter(requests("brand", {}, [row], sends)), None) for row in reversed(exchanges)}
    assert set(ids) <= set(alone)
    assert {name for name, one in alone.items() if one} <= set(ids) | {
        x.id for x in exchanges if len(x.response) > 1_000
    }


def test_sixty_four_records_are_a_request() -> None:
    made = list(requests("brand", {}, [exchange(f"e{number}") for number in range(130)], "Redacted"))
    assert [len(one.ids) for one in made] == [MAX_RECORDS, MAX_RECORDS, 2]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
rows = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["a", "b", "c", "foreign"]) | json_values,
        "state": st.sampled_from(["Scored", "NotApplicable", "Failed", "Great"]) | json_values,
        "flagged": st.booleans() | json_values,
        "value": st.floats(-0.5, 1.5) | json_values,
        "label": st.sampled_from(["off-brand", "ann@example.com"]) | json_values,
        "explanation": json_values,
        "new-key": json_values,
    },
)
bodies = st.binary(max_size=40) | st.builds(
    lambda found: json.dumps(found).encode(),
    st.fixed_dictionaries({}, optional={"scores": st.lists(rows | json_values, max_size=6) | json_values})
    | json_values,
)


@settings(max_examples=300, deadline=None)
@given(bodies, st.sampled_from([200, 204, 302, 400, 429, 500]))
def test_any_reply_answers_each_record_once_and_raises_nothing(body: bytes, status: int) -> None:
    found = scores(ScoringReply(status, body), ["a", "b", "c"], LABELS)
    assert {name: one.id for name, one in found.items()} == {"a": "a", "b": "b", "c": "c"}
    for one in found.values():
        assert one.flagged <= (one.state == "Scored")
        assert status == 200 or one.state == "Failed"
        assert one.state in ("Scored", "NotApplicable", "Failed")
        assert one.label in {
            "", "off-brand", "other", "BadReply", "Missing", "Doubled", "UnknownState", "NoFlag", "ValueOutOfRange",
            "Reported", f"HTTP{status}",
        }  # fmt: skip


def test_a_good_row_is_a_score_and_keys_that_came_later_are_passed_over() -> None:
    row = scored(explanation="it shouts", usage={"inputTokens": 412}, later={"x": 1})
    good = Score("a", "Scored", True, 0.83, "off-brand", explanation="it shouts")
    assert scores(replied(row, scored(id="z")), ["a"], LABELS) == {"a": good}
    skipped = {"id": "a", "state": "NotApplicable", "explanation": "no question"}
    assert scores(replied(skipped), ["a"], LABELS) == {"a": Score("a", "NotApplicable", explanation="no question")}
    bare = {"id": "a", "state": "Scored", "flagged": False}
    assert scores(replied(bare), ["a"], LABELS) == {"a": Score("a", "Scored")}
    assert scores(replied(scored(value=1)), ["a"], LABELS)["a"].value == 1.0


@pytest.mark.parametrize(
    ("answers", "label"),
    [
        ([], "Missing"),
        ([scored(id="b")], "Missing"),
        ([scored(id=1)], "Missing"),
        (["a"], "Missing"),
        ([scored(), scored()], "Doubled"),
        ([scored(state="Passed")], "UnknownState"),
        ([scored(state=None)], "UnknownState"),
        ([scored(state=["Scored"])], "UnknownState"),
        ([scored(flagged="no")], "NoFlag"),
        ([scored(flagged=0)], "NoFlag"),
        ([scored(value=float("nan"))], "ValueOutOfRange"),
        ([scored(value=float("inf"))], "ValueOutOfRange"),
        ([scored(value=-0.01)], "ValueOutOfRange"),
        ([scored(value=1.01)], "ValueOutOfRange"),
        ([scored(value="0.5")], "ValueOutOfRange"),
        ([scored(value=True)], "ValueOutOfRange"),
        ([scored(value=10**400)], "ValueOutOfRange"),
        ([{"id": "a", "state": "Failed"}], "Reported"),
    ],
)
def test_what_breaks_the_contract_fails_its_record(answers: list[Any], label: str) -> None:
    assert scores(replied(*answers), ["a"], LABELS) == {"a": Score("a", "Failed", label=label)}


@pytest.mark.parametrize(
    "body", [b"<html>Sign in</html>", b"", b"[]", b"{}", b"[" * 100_000, b'{"scores": {}}', b"\xff"]
)
def test_what_is_no_reply_fails_all(body: bytes) -> None:
    found = scores(ScoringReply(200, body), ["a", "b"], LABELS)
    assert {(one.state, one.label) for one in found.values()} == {("Failed", "BadReply")}


def test_a_label_that_the_spec_does_not_list_is_told_as_other() -> None:
    """It may be the text that was judged."""
    found = scores(replied(scored(label="Mail me at ann@example.com")), ["a"], LABELS)
    assert found["a"] == Score("a", "Scored", True, 0.83, "other")


def test_a_signature_is_an_hmac_of_time_and_body() -> None:
    """Computed by `printf '1700000000.{}' | openssl dgst -sha256 -hmac key`."""
    made = signature("key", b"{}", 1_700_000_000)
    assert made == "t=1700000000,v1=" + SIGNED


SIGNED = "9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
