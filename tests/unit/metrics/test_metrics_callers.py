"""What callers used is counted once, whatever becomes of the collectors that name them."""

from __future__ import annotations

from modelward.api.budget import COST_UNITS
from modelward.api.collector_config import MOST_CALLERS
from modelward.api.history import CallerCount
from modelward.metrics.callers import CallerLedger, caller_sums
from modelward.metrics.exposition import parse

PAGE = """
modelward_caller_requests_total{caller="retail",model="a",revision="r1"} 3
modelward_caller_requests_total{caller="retail",model="b",revision="r1"} 4
modelward_caller_requests_total{caller="",model="a",revision="r1"} 1
modelward_caller_tokens_total{caller="retail",model="a",revision="r1",gen_ai_token_type="input"} 700
modelward_caller_tokens_total{caller="retail",model="a",revision="r1",gen_ai_token_type="output"} 30
modelward_caller_cost_total{caller="retail",model="a",revision="r1",currency="EUR"} 0.25
modelward_caller_cost_total{caller="retail",model="b",revision="r1",currency="EUR"} 0.5
modelward_caller_unpriced_requests_total{caller="retail",model="b",revision="r1",reason="NoUsage"} 2
modelward_caller_requests_total{caller="odd",model="b",revision="r1"} NaN
"""
RETAIL = {
    ("retail", "requests", ""): 7,
    ("retail", "input_tokens", ""): 700,
    ("retail", "output_tokens", ""): 30,
    ("retail", "cost", "EUR"): 3 * COST_UNITS // 4,
    ("retail", "unpriced", ""): 2,
}


def test_a_page_is_added_up_over_models_and_revisions() -> None:
    assert caller_sums(parse(PAGE.encode())) == {**RETAIL, ("", "requests", ""): 1}
    assert caller_sums(parse(b"modelward_requests_total 1\n")) == {}


def test_a_page_that_names_callers_without_end_names_the_most_and_the_rest_as_other() -> None:
    lines = [f'modelward_caller_requests_total{{caller="c{n:03d}",model="m"}} {500 - n}' for n in range(300)]
    found = caller_sums(parse("\n".join(lines).encode()))
    assert len(found) <= MOST_CALLERS + 3
    assert sum(found.values()) == sum(500 - n for n in range(300))
    assert found["c000", "requests", ""] == 500


def test_a_pod_begins_with_its_first_page_and_counts_on_after_a_restart() -> None:
    ledger, key = CallerLedger(), ("retail", "requests", "")
    assert ledger.gained({"a": {key: 100}}) == ()
    assert ledger.gained({"a": {key: 103}, "b": {key: 50}}) == (CallerCount("retail", 3),)
    assert ledger.gained({"a": {key: 103}, "b": {key: 2}}) == (CallerCount("retail", 2),)
    assert ledger.gained({"a": {key: 103}}) == ()


def test_a_caller_that_takes_anothers_name_counts_from_nothing() -> None:
    ledger = CallerLedger()
    ledger.gained({"a": {("old", "requests", ""): 9, ("old", "cost", "EUR"): 9}})
    (found,) = ledger.gained({"a": {("new", "requests", ""): 2, ("new", "cost", "EUR"): 5}})
    assert found == CallerCount("new", 2, costs={"EUR": 5})


def test_collectors_that_each_name_their_own_are_bounded_together() -> None:
    ledger = CallerLedger()
    pods = {f"p{pod}": {(f"c{pod}-{n}", "cost", "EUR"): 0 for n in range(90)} for pod in range(3)}
    ledger.gained(pods)
    found = ledger.gained({pod: dict.fromkeys(sums, 10) for pod, sums in pods.items()})
    assert len(found) == MOST_CALLERS + 1
    assert found[-1] == CallerCount("other", costs={"EUR": 10 * (270 - MOST_CALLERS)})
