"""The hub keeps what Jobs found of scopes: over restarts, within bounds, and until the namespace is erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hub_fixtures import HOUR_MS, NOW_MS, exchange, ndjson, running_hub
from numpy.typing import NDArray
from secured_hub import OPERATOR, Cluster, secured_hub
from test_hub_evaluation import item, plan

from modelward.api.scope import ScopeFacts
from modelward.evaluate.evaluators.topic_scope import TopicConfig, scope_key
from modelward.evaluate.scope_check import template_questions
from modelward.hub.scopes import MOST_OF_NAMESPACE
from modelward.hub_client.client import HubUnavailableError
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.evaluation import run_plan

FACTS = ScopeFacts(0.12, 20, (3,), 18, 2, (0,), 158, 0.8, 0.05)
KEY = "0" * 32
SCOPE = {"inScope": ["bank cards and loans"], "inScopeExamples": [f"Where is card {i}?" for i in range(20)]}


def stored(folder: Path, namespace: str = "*") -> list[Path]:
    return sorted(folder.rglob(f"scopes/{namespace}/*.json"))


class Embedder:
    """Counts the texts that were embedded; every text has a direction of its own."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += texts
        rows = [np.random.default_rng(list(text.encode())).normal(size=384) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(len(texts), 384)


async def test_facts_outlive_a_restart_and_go_with_their_namespace_and_with_no_endpoint(file_url: str) -> None:
    async with running_hub(file_url) as hub:
        assert await hub.client.scope_facts("retail", KEY) is None
        for namespace in ("retail", "other"):
            await hub.client.put_scope_facts(namespace, KEY, FACTS)
    async with running_hub(file_url) as hub:
        assert await hub.client.scope_facts("retail", KEY) == FACTS
        await hub.client.erase({"namespace": "retail", "endpoint": "chat"})
        assert await hub.client.scope_facts("retail", KEY) == FACTS
        await hub.client.erase({"namespace": "retail"})
        assert await hub.client.scope_facts("retail", KEY) is None
    async with running_hub(file_url) as hub:
        assert await hub.client.scope_facts("retail", KEY) is None
        assert await hub.client.scope_facts("other", KEY) == FACTS


async def test_a_namespace_keeps_its_newest_facts_and_takes_no_room_of_others(tmp_path: Path) -> None:
    clock = [NOW_MS]
    async with running_hub(f"file://{tmp_path}", now=lambda: clock[0]) as hub:
        await hub.client.put_scope_facts("other", KEY, FACTS)
        for number in range(MOST_OF_NAMESPACE + 2):
            clock[0] += 1
            await hub.client.put_scope_facts("retail", f"{number:032x}", FACTS)
        assert [await hub.client.scope_facts("retail", f"{number:032x}") for number in range(3)] == [None, None, FACTS]
        assert await hub.client.scope_facts("other", KEY) == FACTS
        assert len(stored(tmp_path, "retail")) == MOST_OF_NAMESPACE


async def test_facts_of_a_scope_in_use_no_more_go_after_thirty_days(tmp_path: Path) -> None:
    clock = [NOW_MS]
    async with running_hub(f"file://{tmp_path}", now=lambda: clock[0]) as hub:
        await hub.client.put_scope_facts("retail", KEY, FACTS)
        clock[0] += 29 * 24 * HOUR_MS
        await hub.hub.sweep()
        assert await hub.client.scope_facts("retail", KEY) == FACTS
        clock[0] += 2 * 24 * HOUR_MS
        await hub.hub.sweep()
        assert stored(tmp_path) == []


async def test_facts_of_a_namespace_without_endpoints_go_once_the_operator_has_said_which_there_are(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with (
        secured_hub(cluster, tmp_path) as s,
        s.client(*OPERATOR) as operator,
        s.client("retail", "modelward-evaluate") as judge,
        s.client("gone", "modelward-evaluate") as other,
    ):
        await judge.put_scope_facts("retail", KEY, FACTS)
        await other.put_scope_facts("gone", KEY, FACTS)
        await s.hub.sweep()
        assert await operator.scope_facts("gone", KEY) == FACTS, "nothing is known of endpoints yet"
        await operator.put_rules({"retail/chat": {"content": "Redacted"}})
        await s.hub.sweep()
        assert await operator.scope_facts("gone", KEY) is None
        assert await operator.scope_facts("retail", KEY) == FACTS


async def test_facts_that_vanished_from_the_store_are_kept_anew(tmp_path: Path) -> None:
    async with running_hub(f"file://{tmp_path}") as hub:
        await hub.client.put_scope_facts("retail", KEY, FACTS)
        (path,) = stored(tmp_path)
        path.unlink()
        assert await hub.client.scope_facts("retail", KEY) is None
        await hub.client.put_scope_facts("retail", KEY, FACTS)
        assert await hub.client.scope_facts("retail", KEY) == FACTS


async def test_damaged_facts_are_none_and_make_room_for_new_ones(tmp_path: Path) -> None:
    async with running_hub(f"file://{tmp_path}") as hub:
        await hub.client.put_scope_facts("retail", KEY, FACTS)
        (path,) = stored(tmp_path)
        path.write_bytes(b'{"form": 1}')
        assert await hub.client.scope_facts("retail", KEY) is None
        better = replace(FACTS, probes=3)
        await hub.client.put_scope_facts("retail", KEY, better)
        assert await hub.client.scope_facts("retail", KEY) == better


@pytest.mark.parametrize("key", ["0" * 31, "Z" * 32, "..%2F..%2Frules"])
async def test_a_key_that_is_none_is_refused(file_url: str, key: str) -> None:
    async with running_hub(file_url) as hub:
        with pytest.raises(HubUnavailableError) as caught:
            await hub.client.put_scope_facts("retail", key, FACTS)
    assert caught.value.status == 400


async def test_a_scope_is_checked_by_the_first_job_and_by_no_later_one(file_url: str, tmp_path: Path) -> None:
    """Two evaluators with one scope check it once; the verdicts' numbers are the same with a scope that was known."""
    first, second = Embedder(), Embedder()
    items = (item("off", "OffTopicAnswered", SCOPE), item("refused", "OnTopicRefused", SCOPE))
    templates = set(template_questions(SCOPE["inScope"]))
    async with running_hub(file_url) as hub:
        await hub.client.post_exchanges(ndjson(*(exchange(i) for i in range(70))))
        found = []
        for embedder in (first, second):
            tally = await run_plan(plan(*items), hub.client, embeddings=SharedEmbeddings(embedder))
            assert tally.done == 2
            found.append(sorted(await hub.client.results(0), key=lambda one: one.evaluation))
        facts = await hub.client.scope_facts("retail", scope_key(TopicConfig.model_validate(SCOPE)))
    assert templates <= set(first.texts)
    assert not templates & set(second.texts)
    assert found[0] == found[1]
    assert facts is not None
    assert (facts.examples, facts.templates) == (20, len(templates))
    (path,) = stored(tmp_path)
    assert b"card" not in path.read_bytes(), "no text of the scope is kept"


def test_a_changed_scope_is_another_one() -> None:
    keys = {
        scope_key(TopicConfig.model_validate(config))
        for config in (
            SCOPE,
            {**SCOPE, "inScope": ["bank cards"]},
            {**SCOPE, "inScopeExamples": SCOPE["inScopeExamples"][1:]},
        )
    }
    assert len(keys) == 3
    assert scope_key(TopicConfig.model_validate({**SCOPE, "threshold": "0.3"})) in keys, "its threshold is no part"


async def test_a_hub_that_cannot_keep_a_scope_costs_no_verdict(file_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_hub(file_url) as hub:
        await hub.client.post_exchanges(ndjson(*(exchange(i) for i in range(70))))

        async def refuse(*_: object) -> None:
            raise HubUnavailableError("the store is full", 507)

        monkeypatch.setattr(hub.client, "scope_facts", refuse)
        monkeypatch.setattr(hub.client, "put_scope_facts", refuse)
        tally = await run_plan(
            plan(item("off", "OffTopicAnswered", SCOPE)), hub.client, embeddings=SharedEmbeddings(Embedder())
        )
    assert (tally.done, tally.failed) == (1, 0)
