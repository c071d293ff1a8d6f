"""Judges read a real llama.cpp in each of their ways; where none is told by MODELWARD_TEST_ENGINE this is skipped.

python examples/banking/engine/serve.py --model MODEL.gguf --host 127.0.0.1 --port 18765
MODELWARD_TEST_ENGINE=http://127.0.0.1:18765 pytest tests/unit/job/test_job_judge_engine.py
"""

from __future__ import annotations

import os

import pytest
from judge_server import quick_port

from modelward.api.exchange import Exchange, Message
from modelward.api.judge import Readout
from modelward.desired.evaluators import EndpointAddress, EvaluatorBlock, ResolvedEvaluator
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.judge.settings import READOUTS
from modelward.evaluate.kinds.judge import KIND
from modelward.evaluate.scoring import score

ENGINE = os.environ.get("MODELWARD_TEST_ENGINE", "")
KNOWN = EvaluatorCatalogue({KIND.name: KIND})
BLOCK = {
    "model": {"endpointRef": {"name": "judge-llm"}},
    "rubric": "The question is about a bank's cards, accounts, payments or transfers.",
    "labels": {"fault": ["other"], "ok": ["banking"]},
    "sees": ["Question"],
    "deadlineSeconds": 300,
    "maxTokens": 64,
}

pytestmark = [
    pytest.mark.skipif(not ENGINE, reason="MODELWARD_TEST_ENGINE names no engine"),
    pytest.mark.timeout(1_200),
]


@pytest.mark.parametrize("readout", READOUTS)
async def test_a_real_engine_is_read_in_the_way_that_was_asked_for(readout: Readout) -> None:
    placed = KNOWN.placed(
        EvaluatorBlock("judge", "topic", BLOCK | {"readout": readout}), {"judge-llm": EndpointAddress(ENGINE)}
    )
    assert isinstance(placed, EvaluatorBlock)
    judge = KNOWN.resolve(placed)
    assert isinstance(judge, ResolvedEvaluator)
    port = quick_port(judge.pod.egress)
    rows = [
        Exchange(name, 0, "retail/bot", "m", "r", "chat", 200, "ok", "Redacted", (Message("user", name),), "-")
        for name in ("Where is my new card?", "How do I bake a chocolate cake?")
    ]
    scores = await score(KNOWN.scorer(judge, port), rows)
    asked = await KIND.asked(judge, port)
    assert asked is not None
    assert (asked.readout, asked.left_out, asked.unreported) == (readout, (), 0)
    assert asked.input_tokens > 0
    states = {one.state for one in scores}
    assert states == {"Scored"} if "Label" in readout else states <= {"Scored", "Failed"}
    assert {one.label for one in scores} <= {"other", "banking", "foreign-label", "not-json", "truncated", "empty"}
