"""What the operator holds of results is bounded, and who has too many loses of their own."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import Counts, EvaluatorFacts, Example, WindowResult
from modelward.operator.hub.result_memory import ResultMemory, fair_share

RESULT = WindowResult(
    "retail",
    "chat",
    "baseline",
    "topic",
    0,
    1,
    "modelward-20261124-120000",
    EvaluatorFacts("PII", "1"),
    {"r": Counts(3)},
)
KEY = ("retail", "chat", "baseline", "topic")


def test_a_namespace_is_read_without_the_windows_of_another_and_leaves_nothing_behind() -> None:
    memory = ResultMemory()
    memory.keep([*results("retail", 3), *results("bank", 2)])
    assert {key: len(windows) for key, windows in memory.in_namespace("retail").items()} == {KEY: 3}
    assert {key[0]: len(windows) for key, windows in memory.all()} == {"retail": 3, "bank": 2}
    memory.drop_endpoint("retail/chat")
    assert memory.in_namespace("retail") == {}
    assert [key[0] for key, _ in memory.all()] == ["bank"]


def results(namespace: str, number: int) -> list[WindowResult]:
    return [replace(RESULT, namespace=namespace, from_ms=i, to_ms=i + 1) for i in range(number)]


def test_a_namespace_with_too_many_loses_its_own_oldest_and_no_other_loses_any() -> None:
    memory = ResultMemory(max_bytes=100_000)
    memory.keep(results("retail", 20))
    kept = memory.of(KEY)
    for start in range(0, 5_000, 100):
        memory.keep(results("greedy", 5_000)[start : start + 100])
        memory.drop_surplus()
    assert memory.of(KEY) == kept
    greedy = sorted(one.to_ms for one in memory.of(("greedy", *KEY[1:])))
    assert 10 < len(greedy) < 200
    assert greedy == list(range(5_001 - len(greedy), 5_001)), "the newest stay"
    assert (memory.cut_ms("greedy"), memory.cut_ms("retail")) == (greedy[0] - 1, 0), "what is missing is known"
    memory.drop_outside(greedy[0] - 1, 6_000)
    assert memory.cut_ms("greedy") == 0, "what would have ended by now is missed by none"


def test_nothing_is_dropped_while_all_fits() -> None:
    memory = ResultMemory()
    memory.keep(results("retail", 1_000))
    assert memory.drop_surplus() == {}
    assert len(memory.of(KEY)) == 1_000


def test_a_result_of_countless_revisions_and_examples_is_cut_to_what_a_verdict_can_use() -> None:
    memory = ResultMemory()
    names = [f"r{i}" for i in range(9_000)]
    examples = {name: tuple(Example(str(i), "x") for i in range(99)) for name in names}
    memory.keep([replace(RESULT, revisions=dict.fromkeys(names, Counts()), examples=examples)])
    kept = memory.of(KEY)[0]
    assert (len(kept.revisions), len(kept.examples)) == (200, 200)
    assert max(map(len, kept.examples.values())) == 10


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 1_000), max_size=6), st.integers(1, 3_000))
def test_a_fair_share_fills_the_limit_and_takes_nothing_of_who_holds_less(held: dict[str, int], limit: int) -> None:
    share = fair_share(held, limit)
    assert sum(min(amount, share) for amount in held.values()) <= limit
    if sum(held.values()) <= limit:
        assert all(amount <= share for amount in held.values())
    else:
        assert sum(min(amount, share + 1) for amount in held.values()) > limit


def test_what_is_forgotten_leaves_no_trace() -> None:
    memory = ResultMemory()
    memory.keep([*results("retail", 3), *results("other", 3)])
    memory.drop_outside(3, 9)
    assert list(memory.all()) == []
    assert memory._bytes == {}
