"""Exchanges, collectors' settings, plans and results: what is written is read back, and what is broken is refused."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.collector_config import (
    MAX_BODY_BYTES,
    CaptureSettings,
    CollectorConfig,
    config_from_json,
    config_to_json,
)
from modelward.api.evaluation import Counts, EvaluatorFacts, Example, WindowResult, result_from_json, result_to_json
from modelward.api.exchange import (
    CONTENT_ORDER,
    Exchange,
    Message,
    Redaction,
    Timings,
    Usage,
    exchange_from_json,
    exchange_to_json,
)
from modelward.api.run_plan import Plan, PlanItem, plan_from_json, plan_to_json

NUMBER = st.floats(0, 1e6)
INT64 = st.integers(-(2**63), 2**63 - 1)
OPTIONAL = st.none() | st.integers(0, 10**6)
EXCHANGES = st.builds(
    Exchange,
    time_ms=INT64,
    status=INT64,
    content=st.sampled_from(CONTENT_ORDER),
    outcome=st.sampled_from(["ok", "error", "cancelled"]),
    messages=st.lists(st.builds(Message), max_size=3).map(tuple),
    usage=st.builds(Usage, OPTIONAL, OPTIONAL, OPTIONAL),
    timings=st.builds(Timings, NUMBER, st.none() | NUMBER, st.none() | NUMBER),
    redactions=st.lists(
        st.builds(Redaction, count=INT64, subject=st.sampled_from(["prompt", "response"])), max_size=3
    ).map(tuple),
    inclusion=st.floats(1e-6, 1.0),
)
BARE: dict[str, Any] = {
    "id": "e1", "time_ms": 1, "endpoint": "retail/chat", "model": "m", "operation": "chat",
    "status": 200, "outcome": "ok", "content": "MetadataOnly",
}  # fmt: skip


def through_wire(data: Any) -> Any:
    return json.loads(json.dumps(data))


@given(EXCHANGES)
def test_an_exchange_is_read_back_as_it_was_written(exchange: Exchange) -> None:
    assert exchange_from_json(through_wire(exchange_to_json(exchange))) == exchange


def test_an_older_reader_accepts_a_newer_writer() -> None:
    newer = {**BARE, "colour": "blue", "usage": {"input_tokens": 7, "thoughts": 9}, "timings": None}
    assert exchange_from_json(newer).usage == Usage(7)
    config = {**config_to_json(CollectorConfig()), "colour": "blue"}
    assert config_from_json(config).engine == "generic"


@pytest.mark.parametrize("missing", BARE)
def test_an_exchange_without_what_it_needs_is_refused(missing: str) -> None:
    with pytest.raises(ValueError, match=f"not an exchange: {missing} is missing"):
        exchange_from_json({key: value for key, value in BARE.items() if key != missing})


@pytest.mark.parametrize(
    "wrong",
    [
        {"content": "Everything"},
        {"outcome": "fine"},
        {"inclusion": 0},
        {"inclusion": 1.5},
        {"inclusion": float("nan")},
        {"messages": [7]},
        {"messages": 7},
        {"redactions": [{}]},
        {"usage": 3},
        {"time_ms": "yesterday"},
        {"time_ms": None},
        {"time_ms": 1e300},
        {"time_ms": float("inf")},
        {"status": 2**63},
        {"timings": {"duration_ms": "soon"}},
        {"timings": {"duration_ms": float("inf")}},
        {"usage": {"input_tokens": {"many": 1}}},
        {"redactions": [{"kind": "IBAN", "count": 1, "subject": 5}]},
    ],
)
def test_an_exchange_of_the_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        exchange_from_json({**BARE, **wrong})


def test_an_exchange_knows_its_namespace_and_its_question() -> None:
    turns = [("system", "be kind"), ("user", "first"), ("assistant", "yes"), ("user", "second"), ("tool", "3")]
    asked = exchange_from_json({**BARE, "messages": [{"role": role, "text": text} for role, text in turns]})
    assert (asked.namespace, asked.question) == ("retail", "second")
    assert exchange_from_json(BARE).question == ""


CONFIGS = st.builds(
    CollectorConfig,
    engine_metrics_url=st.none() | st.just("http://127.0.0.1:8080/metrics"),
    hub_url=st.none() | st.just("https://hub"),
    capture=st.builds(
        CaptureSettings,
        content=st.sampled_from(CONTENT_ORDER),
        sample_ppm=st.integers(0, 1_000_000),
        always_slower_than_ms=OPTIONAL,
        max_body_bytes=st.integers(0, 16 * 1024 * 1024),
    ),
)


@given(CONFIGS, CONFIGS)
def test_a_collectors_settings_are_read_back_and_named_by_their_content(a: CollectorConfig, b: CollectorConfig) -> None:
    read = config_from_json(through_wire(config_to_json(a)))
    assert len(read.generation) == 12
    assert config_to_json(read) == config_to_json(a)
    same = {**config_to_json(a), "generation": ""} == {**config_to_json(b), "generation": ""}
    assert (read.generation == config_from_json(config_to_json(b)).generation) == same


@pytest.mark.parametrize(
    ("wrong", "careful"),
    [
        ({"content": "All"}, {"content": "None"}),
        ({"content": None}, {"content": "None"}),
        ({"content": []}, {"content": "None"}),
        ({"samplePpm": 1_000_001}, {"sample_ppm": 1_000_000}),
        ({"samplePpm": -1}, {"sample_ppm": 0}),
        ({"samplePpm": "half"}, {"sample_ppm": 0}),
        ({"samplePpm": float("inf")}, {"sample_ppm": 0}),
        ({"maxBodyBytes": 1 << 40}, {"max_body_bytes": MAX_BODY_BYTES}),
        ({"maxBodyBytes": None}, {"max_body_bytes": 262_144}),
        ({"alwaysErrors": "yes"}, {"always_errors": False}),
        ({"alwaysSlowerThanMs": {}}, {"always_slower_than_ms": None}),
    ],
    ids=str,
)
def test_one_unreadable_field_costs_itself_and_the_rest_is_in_force(
    wrong: dict[str, Any], careful: dict[str, Any]
) -> None:
    capture = CaptureSettings("Redacted", 5, True, 700, 9)
    body = config_to_json(CollectorConfig(engine="vllm", hub_url="https://hub", capture=capture))
    read = config_from_json({**body, "capture": {**body["capture"], **wrong}})
    assert read.capture == replace(capture, **careful)
    assert (read.engine, read.hub_url, read.generation) == ("vllm", "https://hub", body["generation"])
    assert read.unreadable == (f"capture.{next(iter(wrong))}",)


@pytest.mark.parametrize(
    "wrong", [{"capture": None}, {"capture": "Full"}, {"capture": {}}, {"engine": "vllm"}], ids=str
)
def test_a_part_that_cannot_be_read_captures_nothing_and_keeps_no_other_from_being_read(wrong: dict[str, Any]) -> None:
    body = config_to_json(CollectorConfig(hub_url="https://hub", capture=CaptureSettings("Full", 5)))
    read = config_from_json({**body, **wrong})
    assert read.hub_url == "https://hub"
    assert read.capture.content == ("Full" if "engine" in wrong else "None")
    assert read.unreadable


@pytest.mark.parametrize("wrong", [None, [], "x", 3])
def test_what_is_no_object_is_no_configuration(wrong: Any) -> None:
    with pytest.raises(ValueError, match="not a collector configuration"):
        config_from_json(wrong)


COUNTS = st.builds(Counts, *[st.integers(0, 10**6)] * 4, *[st.integers(0, 10**6).map(float)] * 3)
RESULTS = st.builds(
    WindowResult,
    from_ms=INT64,
    to_ms=INT64,
    evaluator=st.builds(EvaluatorFacts, true_positive_ppm=INT64, false_positive_ppm=INT64),
    revisions=st.dictionaries(st.text(max_size=8), COUNTS, max_size=3),
    examples=st.dictionaries(st.text(max_size=8), st.lists(st.builds(Example), max_size=3).map(tuple), max_size=3),
)


@given(RESULTS)
def test_a_result_is_read_back_as_it_was_written(result: WindowResult) -> None:
    assert result_from_json(through_wire(result_to_json(result))) == result


RESULT = result_to_json(
    WindowResult(
        "retail", "chat", "p", "e", 1, 2, "r", EvaluatorFacts("PII", "1"), {"r1": Counts(3, 1, weight=3.0)},
        {"r1": (Example("e1", "IBAN"),)},
    )
)  # fmt: skip


def test_a_result_of_a_newer_release_is_read_without_what_is_new() -> None:
    newer = through_wire(RESULT)
    newer["revisions"]["r1"]["skipped"] = 3
    newer["examples"]["r1"][0]["note"] = "x"
    newer["evaluator"]["model"] = "m"
    assert result_from_json({**newer, "colour": "blue"}) == result_from_json(through_wire(RESULT))


@pytest.mark.parametrize("bad", [7, {"samples": "many"}, {"samples": -1}, {"samples": 2**70}, {"weight": 1e999}, None])
def test_a_revision_that_cannot_be_read_costs_itself_only(bad: Any) -> None:
    data = through_wire(RESULT)
    data["revisions"]["r2"] = bad
    data["examples"]["r1"].append(bad)
    assert result_from_json(data) == result_from_json(through_wire(RESULT))


@given(st.lists(st.builds(PlanItem, config=st.dictionaries(st.text(max_size=5), st.integers())), max_size=3))
def test_a_plan_is_read_back_as_it_was_written(items: list[PlanItem]) -> None:
    plan = Plan("run-1", "retail", "https://hub", tuple(items))
    assert plan_from_json(through_wire(plan_to_json(plan))) == plan


@given(COUNTS, COUNTS, COUNTS)
def test_windows_pool_in_any_order(a: Counts, b: Counts, c: Counts) -> None:
    assert (a + b) + c == a + (b + c) == c + b + a
    assert a + Counts() == a


@pytest.mark.parametrize("wrong", [{}, {"items": [{}]}, {"items": 7}])
def test_what_is_no_plan_or_result_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a run plan"):
        plan_from_json({"run": "r", "namespace": "n", "hub_url": "u", **wrong})
    with pytest.raises(ValueError, match="not a window result"):
        result_from_json({"namespace": "n", **wrong})


BY_HAND = {
    "id": "1", "time_ms": 0, "endpoint": "a/b", "model": "m", "operation": "chat", "status": 200, "outcome": "ok",
    "content": "Full", "response": "mail bob@example.org",
}  # fmt: skip


def test_a_record_by_hand_without_redactions_was_not_searched_and_stays_so() -> None:
    exchange = exchange_from_json(BY_HAND)
    assert not exchange.searched
    assert "redactions" not in exchange_to_json(exchange)
    assert exchange_from_json({**BY_HAND, "redactions": []}).searched


def test_the_documented_record_is_the_record() -> None:
    page = (Path(__file__).parents[3] / "docs" / "exchange.md").read_text()
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    assert {row[1].strip(" `") for row in rows} == {field.name for field in fields(Exchange)} - {"searched"}
    for name in (row[1].strip(" `") for row in rows if row[2].strip() == "yes"):
        with pytest.raises(ValueError, match=f"{name} is missing"):
            exchange_from_json({key: value for key, value in BY_HAND.items() if key != name})
    example = next(line for line in page.splitlines() if line.startswith("{"))
    assert exchange_from_json(json.loads(example)).question
