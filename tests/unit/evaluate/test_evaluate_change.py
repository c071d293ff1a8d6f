"""Evaluators of change find what moved, say nothing of what did not, and show nothing that few people said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from modelward.api.evaluation import EvaluatorFacts, WindowResult
from modelward.api.exchange import Exchange, Message, Timings, ended_ms
from modelward.api.window_answer import WindowTest
from modelward.desired.evaluators import EvaluatorBlock
from modelward.evaluate.anonymity import callers, clear, may_be_shown, shown_words, words_in
from modelward.evaluate.past import DAY_MS, of_period, of_revision
from modelward.evaluate.port import PortError, ScoringReply, ScoringRequest
from modelward.evaluate.scoring import Scorer
from modelward.evaluate.statistics import permutation
from modelward.evaluate.statistics.clusters import clusters, same_topics, sketch
from modelward.evaluate.window_scoring import window_tests
from modelward.job.installed import catalogue


@pytest.fixture(autouse=True)
def few_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for p = 4e-6, and a tenth of the time."""
    monkeypatch.setattr(permutation, "MOST", 2_000)


SUBJECTS = {
    "card": ["where is my bank card", "my card was stolen", "the card does not work"],
    "loan": ["what does a loan cost", "may I repay a loan early", "which loan is cheapest"],
    "cake": ["how do I bake a cake", "flour for a cake", "my cake is burnt"],
}
ALL: dict[str, dict[str, Any]] = {
    "EmbeddingDrift": {},
    "TokenDrift": {"of": "Questions"},
    "TopicClusters": {"topics": 3},
}


class Port:
    """Vectors that lie near each other where the subject of the texts is the same."""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        def drawn(text: str) -> NDArray[np.float64]:
            return np.random.default_rng(list(hashlib.sha256(text.encode()).digest())).normal(size=384)

        subjects = [next((name for name in SUBJECTS if name in text), text) for text in texts]
        rows = [drawn(name) + 0.3 * drawn(text) for name, text in zip(subjects, texts, strict=True)]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32)

    async def post(self, request: ScoringRequest) -> ScoringReply:
        raise PortError(request.url)


@dataclass
class Kept:
    """A hub that keeps these exchanges, and gives at most `limit` of a window."""

    exchanges: Sequence[Exchange]
    before: WindowResult | None = None
    limit: int = 2_000
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def window(self, from_ms: int, to_ms: int) -> Sequence[Exchange]:
        self.asked.append((from_ms, to_ms))
        rows = [one for one in self.exchanges if from_ms <= ended_ms(one.time_ms, one.timings.duration_ms) < to_ms]
        kept = np.linspace(0, len(rows) - 1, self.limit).astype(int) if len(rows) > self.limit else range(len(rows))
        return [rows[place] for place in kept]

    async def last(self) -> WindowResult | None:
        return self.before


def exchange(number: int, subject: str, at_ms: int, **changes: Any) -> Exchange:
    texts = SUBJECTS[subject]
    base = Exchange(
        id=f"e{number}", time_ms=at_ms, endpoint="retail/chat", model="m", revision="r1", operation="chat", status=200,
        outcome="ok", content="Redacted", messages=(Message("user", texts[number % len(texts)]),), response="yes",
        timings=Timings(100.0 + number % 7),
    )  # fmt: skip
    return replace(base, **changes)


def traffic(first: int, shares: dict[str, float], size: int, begin_ms: int, **changes: Any) -> list[Exchange]:
    drawn = np.random.default_rng(first).choice(list(shares), size, p=list(shares.values()))
    return [exchange(first + i, str(subject), begin_ms + i * 1_000, **changes) for i, subject in enumerate(drawn)]


BEFORE = traffic(0, {"card": 0.6, "loan": 0.4}, 400, 0)
LATER_MS = 2 * DAY_MS
SAME = traffic(1_000, {"card": 0.6, "loan": 0.4}, 200, LATER_MS)
OTHER = traffic(2_000, {"card": 0.3, "loan": 0.2, "cake": 0.5}, 200, LATER_MS)


async def compared(
    name: str, config: dict[str, Any], window: Sequence[Exchange], past: Kept | None = None
) -> tuple[WindowTest, ...]:
    known = catalogue()
    found = known.resolve(EvaluatorBlock("builtin", name, config))
    return await window_tests(known.scorer(found, Port()), window, past or Kept(BEFORE))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ALL)
async def test_what_moved_is_found_with_its_size_and_its_name(name: str) -> None:
    (test,) = await compared(name, ALL[name], OTHER)
    assert (test.revision, test.samples, test.reference_samples) == ("r1", 200, 400)
    assert test.p_value < 1e-5
    assert test.low > 0.2
    assert test.low <= test.effect <= test.high
    risen = max(test.moved, key=lambda one: one.change)
    assert "cake" in risen.label
    assert risen.low <= risen.share <= risen.high
    assert risen.change == pytest.approx({"TopicClusters": 0.5}.get(name, 0.17), abs=0.1), "a word or topic of three"


@pytest.mark.parametrize("name", ALL)
async def test_the_same_traffic_is_no_change_and_gives_the_same_numbers_in_any_order(name: str) -> None:
    (test,) = await compared(name, ALL[name], SAME)
    assert test.p_value > 1e-3
    assert test.low < 0.05
    assert await compared(name, ALL[name], SAME[::-1], Kept(BEFORE[::-1])) == (test,)


@pytest.mark.parametrize("distance", ["TVD", "Hellinger", "KL"])
async def test_slower_answers_are_found_without_any_text(distance: str) -> None:
    config = {"number": "Duration", "distance": distance}
    bare = [replace(one, content="MetadataOnly", messages=(), response="") for one in (*BEFORE, *SAME)]
    slow = [replace(one, timings=Timings(one.timings.duration_ms + 3)) for one in bare[400:]]
    (same,) = await compared("NumericDrift", config, bare[400:], Kept(bare[:400]))
    (slower,) = await compared("NumericDrift", config, slow, Kept(bare[:400]))
    assert same.p_value > 1e-3
    assert slower.p_value < 1e-5
    assert slower.low > 0.2
    assert {one.label[-2:] for one in slower.moved} == {"ms"}
    assert sum(one.change for one in slower.moved) == pytest.approx(0, abs=0.01)


async def test_a_number_that_no_exchange_carries_is_not_compared() -> None:
    (test,) = await compared("NumericDrift", {"number": "InputTokens"}, SAME)
    assert (test.reason, test.p_value) == ("Missing", 1.0)


async def test_each_revision_has_a_reference_of_its_own() -> None:
    new = [replace(one, revision="r2") for one in OTHER]
    found = {one.revision: one for one in await compared("TokenDrift", {}, [*SAME, *new])}
    assert (found["r1"].reason, found["r1"].reference_samples) == ("", 400)
    assert (found["r2"].reason, found["r2"].reference_samples) == ("TooFewSamples", 0)


async def test_a_conversation_that_goes_on_is_compared_with_others_only() -> None:
    going_on = [replace(one, conversation="c1") for one in (*BEFORE[:50], *SAME[:50])]
    window = [*going_on[50:], *SAME[50:]]
    (test,) = await compared("TokenDrift", {}, window, Kept([*going_on[:50], *BEFORE[50:]]))
    assert (test.reference_samples, test.conversations) == (350, 151)


@pytest.mark.parametrize("name", ALL)
async def test_callers_who_begin_with_the_same_words_are_samples_each(name: str) -> None:
    """A frequent question has one key, of its words; as one conversation it would be left out of the reference."""
    asked = [replace(one, conversation=f"key of {one.question}") for one in (*BEFORE, *SAME)]
    (test,) = await compared(name, ALL[name], asked[400:], Kept(asked[:400]))
    assert (test.conversations, test.samples, test.reference_samples) == (200, 200, 400)
    (alone,) = await compared(name, ALL[name], SAME)
    assert (test.p_value, test.effect) == (alone.p_value, alone.effect)


async def test_a_broken_evaluator_never_looks_like_no_change_and_a_broken_hub_is_the_jobs_to_see() -> None:
    class Failing(Port):
        async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            raise PortError(str(len(texts)))

    class Away(Kept):
        async def window(self, from_ms: int, to_ms: int) -> Sequence[Exchange]:
            raise ConnectionError(f"{from_ms}-{to_ms}")

    known = catalogue()
    found = known.resolve(EvaluatorBlock("builtin", "EmbeddingDrift", {}))
    scorer: Scorer = known.scorer(found, Failing())  # type: ignore[arg-type]
    (test,) = await window_tests(scorer, SAME, Kept(BEFORE))
    assert (test.revision, test.reason) == ("r1", "EvaluatorFailing")
    with pytest.raises(ConnectionError):
        await window_tests(scorer, SAME, Away(BEFORE))


async def test_the_reference_is_the_first_of_the_revision_and_found_in_few_reads() -> None:
    past = Kept(traffic(0, {"card": 1.0}, 900, 0), limit=100)
    found = await of_revision(past, "r1", LATER_MS, None, size=200)
    assert not found.complete, "a sample of 100 is not many for MAX_SAMPLES"
    past = Kept(traffic(0, {"card": 1.0}, 9_000, 0))
    found = await of_revision(past, "r1", LATER_MS, None)
    assert found.complete
    assert 900 <= len(found.exchanges) <= 2_000
    assert found.exchanges[0].id == "e0"
    assert max(int(one.id[1:]) for one in found.exchanges) <= 2_000
    assert len(past.asked) <= 12


async def test_the_reference_stays_the_same_until_too_little_of_it_is_kept() -> None:
    last = WindowTest("r1", 200, 200, 300, reference_from_ms=0, reference_to_ms=300_000)
    found = await of_revision(Kept(BEFORE), "r1", LATER_MS, last)
    assert (found.from_ms, found.to_ms, found.complete) == (0, 300_000, True)
    aged = Kept(BEFORE[250:] + traffic(5_000, {"card": 1.0}, 300, DAY_MS))
    found = await of_revision(aged, "r1", 3 * DAY_MS, last)
    assert found.complete
    assert found.from_ms > 250_000
    assert len(found.exchanges) == 450


async def test_a_new_revision_waits_for_a_reference_and_an_approved_baseline_for_none() -> None:
    young = await of_revision(Kept(BEFORE), "r1", 500_000, None)
    assert (young.complete, len(young.exchanges)) == (False, 400)
    assert (await of_revision(Kept(BEFORE), "r1", 2 * DAY_MS, None)).complete
    assert (await of_revision(Kept(BEFORE), "r9", 2 * DAY_MS, None)).exchanges == ()
    assert (await of_period(Kept(BEFORE), 0, 300_000)).complete
    assert not (await of_period(Kept(BEFORE), 0, 100_000)).complete


async def test_topics_keep_their_ids_from_window_to_window() -> None:
    (first,) = await compared("TopicClusters", {"topics": 3}, OTHER)
    result = WindowResult("retail", "chat", "p", "e", 0, 1, "r", EvaluatorFacts("", ""), tests=(first,))
    more = traffic(9_000, {"card": 0.2, "loan": 0.3, "cake": 0.5}, 200, LATER_MS)
    (second,) = await compared("TopicClusters", {"topics": 3}, more, Kept(BEFORE, result))
    ids = {one.label.split("-")[0]: one.id for one in first.moved}
    assert len(set(ids.values())) == 3
    assert {one.label.split("-")[0]: one.id for one in second.moved} == ids


async def test_nothing_is_shown_of_few_conversations_or_few_callers() -> None:
    few = [replace(one, conversation=f"c{i % 12}") for i, one in enumerate(OTHER)]
    (test,) = await compared("TopicClusters", {"topics": 3}, few, Kept(BEFORE))
    assert not any("cake" in one.label for one in test.moved)
    named = [replace(one, caller=f"team-{i % 4}") for i, one in enumerate(OTHER)]
    old = [replace(one, caller=f"team-{i % 4}") for i, one in enumerate(BEFORE)]
    for name, config in ALL.items():
        (test,) = await compared(name, config, named, Kept(old))
        assert test.moved == (), name
        assert test.p_value < 1e-3


def test_callers_who_begin_with_the_same_words_count_as_one_for_what_is_shown() -> None:
    rows = traffic(0, {"card": 1.0}, 200, 0)
    assert may_be_shown(rows)
    assert not may_be_shown([replace(one, conversation=f"key of {one.question}") for one in rows])


def test_where_no_caller_is_named_conversations_stand_for_them() -> None:
    rows = [replace(one, conversation=f"c{i % 20}") for i, one in enumerate(SAME)]
    assert (callers(rows), may_be_shown(rows)) == (20, True)
    assert not may_be_shown(rows[:19])
    some = [replace(one, caller="a" if i % 2 else "") for i, one in enumerate(rows)]
    assert (callers(some), may_be_shown(some)) == (2, False)


def test_words_of_few_conversations_masks_numbers_and_private_values_are_not_shown() -> None:
    rows = [(replace(SAME[i], conversation=f"c{i % 4}"), "Zebra") for i in range(30)]
    assert dict(shown_words(rows)) == {}
    rows = [(replace(SAME[i], conversation=f"c{i}"), "Zebra, [EMAIL] 12345 no") for i in range(30)]
    assert dict(shown_words(rows)) == {"zebra": 30}
    assert words_in("Ärger mit [API_KEY] a1b2 über 3 Karten") == ["ärger", "mit", "über", "karten"]
    assert clear("zebra", ["a zebra", "Zebra!"])
    assert not clear("alice", ["fine", "mail alice@example.com"])


def test_clusters_find_the_subjects_and_sketches_tell_them_apart() -> None:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(3, 384))
    rows = np.repeat(centres, (60, 30, 10), axis=0) + 0.5 * rng.normal(size=(100, 384))
    vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    labels, found = clusters(vectors, 3, 5)
    assert [int((labels == n).sum()) for n in range(3)] == [60, 30, 10]
    assert np.array_equal(clusters(vectors, 3, 5)[0], labels)
    names = [sketch(one) for one in found]
    assert same_topics(names[::-1], names) == {0: 2, 1: 1, 2: 0}
    assert same_topics(["", "AAAA", "é"], names) == {}
    assert same_topics([sketch(rng.normal(size=384))], names) == {}
