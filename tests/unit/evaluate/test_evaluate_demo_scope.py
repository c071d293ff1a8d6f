"""The demo's scope, on questions that it is known to have been wrong about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from modelward.api.exchange import Exchange, Message
from modelward.evaluate.evaluators.topic_scope import TopicConfig, known_scope, on_topic
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.minilm import MODEL_FILE, default_directory, embed
from modelward.job.port import JobPort
from modelward.status.scope import EvaluationScope, scope_checked

POLICY = Path(__file__).parents[3] / "examples" / "banking" / "policy.yaml"
ASKED = Exchange("e", 1, "ns/chat", "m", "r", "chat", 200, "ok", "Redacted", (Message("user", "?"),), "Yes.")


@pytest.mark.skipif(
    not (default_directory() / MODEL_FILE).is_file(), reason="the embedding model is not built: evaluators prepare"
)
async def test_plain_questions_to_a_bank_are_on_topic_in_the_demo() -> None:
    policy = yaml.safe_load(POLICY.read_text())
    config = TopicConfig.model_validate(policy["spec"]["evaluations"][0]["check"]["config"])
    asked = ["My salary hasn't landed yet", "What happens if I go below zero?"]
    other = ["Give me a recipe for a chocolate cake.", "Who painted the ceiling of the Sistine Chapel?"]
    exchanges = [replace(ASKED, messages=(Message("user", question),)) for question in (*asked, *other)]
    port = JobPort(SharedEmbeddings(embed))
    assert [value >= 0.5 for value in await on_topic(config, exchanges, port)] == [True, True, False, False]
    _, found = await known_scope(config, port)
    assert found.lost is not None
    assert found.lost < 0.05
    (state,) = scope_checked([EvaluationScope(("stays-on-topic",), found)])
    assert state.status == "True", state.message
