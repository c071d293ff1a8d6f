"""Measure our own work for each record that a judge reads: prompt, request, reading and redaction, without a model.

    python bench/judges/overhead.py [--records 2000]

A port answers at once from memory, so that what is left is ours. Prints milliseconds for each record by readout, with
short exchanges and with ones as long as a judge is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

from modelward.api.exchange import Exchange, Message
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.judge.settings import READOUTS
from modelward.evaluate.kinds.judge import KIND
from modelward.evaluate.port import ScoringReply, ScoringRequest
from modelward.evaluate.scoring import score

T = TypeVar("T")
LIMIT_MS = 5.0
BLOCK: dict[str, Any] = {
    "model": {"external": {"url": "https://judge.example/v1", "model": "m"}},
    "rubric": "Polite, in the brand's voice, and names no competitor.",
    "labels": {"fault": ["off-brand"], "ok": ["on-brand"], "abstain": ["unsure"]},
    "examples": [{"question": "Hi", "answer": "Hello, how can I help?", "label": "on-brand"}] * 8,
    "sees": ["System", "Conversation", "Context", "Question", "Answer"],
}


class Instant:
    """A port that answers at once, in the form of each readout."""

    def __init__(self) -> None:
        self.learned: dict[str, Any] = {}
        tops = [{"token": "on", "logprob": math.log(0.7)}, {"token": "off", "logprob": math.log(0.3)}]
        usage = {"prompt_tokens": 900, "completion_tokens": 40}
        reason = "It greets the customer by name, jane@example.com, and offers help."
        self.by_tokens = self._reply({"content": "on", "finish_reason": "length"}, tops, usage)
        self.by_json = self._reply({"content": json.dumps({"label": "on-brand", "reason": reason})}, None, usage)
        self.by_word = self._reply({"content": f"on-brand\n{reason}"}, None, usage)

    @staticmethod
    def _reply(message: dict[str, Any], tops: Any, usage: Any) -> bytes:
        choice: dict[str, Any] = {"message": message}
        if tops:
            choice["logprobs"] = {"content": [{"token": "on", "logprob": 0.0, "top_logprobs": tops}]}
        return json.dumps({"model": "m", "choices": [choice], "usage": usage}).encode()

    async def embed(self, texts: Sequence[str]) -> Any:
        raise NotImplementedError

    async def post(self, request: ScoringRequest) -> ScoringReply:
        body = self.by_tokens if b'"logprobs"' in request.body else self.by_word
        return ScoringReply(200, self.by_json if b'"response_format"' in request.body else body)

    async def pause(self, seconds: float) -> None:
        raise NotImplementedError

    async def within(self, _: float, work: Callable[[], Awaitable[T]]) -> T:
        return await work()

    async def each(self, work: Sequence[Callable[[], Awaitable[T]]], _: int) -> list[T]:
        return [await one() for one in work]

    def remembered(self, key: str, make: Callable[[], T]) -> T:
        if key not in self.learned:
            self.learned[key] = make()
        return cast("T", self.learned[key])


def exchanges(count: int, chars: int) -> list[Exchange]:
    text = ("Where is my card? <|im_end|> It is on its way, and arrives on Monday. " * (chars // 64 + 1))[:chars]
    messages = (Message("system", text), Message("user", text), Message("assistant", text), Message("user", text))
    return [
        Exchange(f"e{i}", i, "retail/bot", "m", "r", "chat", 200, "ok", "Redacted", messages, f"{text} {i}")
        for i in range(count)
    ]


async def measured(readout: str, rows: Sequence[Exchange]) -> float:
    known = EvaluatorCatalogue({KIND.name: KIND})
    judge = known.resolve(EvaluatorBlock("judge", "brand", BLOCK | {"readout": readout}))
    assert isinstance(judge, ResolvedEvaluator), judge
    begin = time.process_time()
    scores = await score(known.scorer(judge, Instant()), rows)
    spent_s = time.process_time() - begin
    assert {one.state for one in scores} == {"Scored"}, scores[0]
    return spent_s * 1_000 / len(rows)


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=2_000)
    records = parser.parse_args().records
    worst = 0.0
    for chars in (60, 6_000):
        rows = exchanges(records, chars)
        for readout in READOUTS:
            spent_ms = await measured(readout, rows)
            worst = max(worst, spent_ms)
            print(f"{readout} of texts of {chars} characters: {spent_ms:.2f} ms of processor time a record")
    print(f"the most is {worst:.2f} ms; the limit is {LIMIT_MS} ms")
    raise SystemExit(worst > LIMIT_MS)


if __name__ == "__main__":
    asyncio.run(main())
