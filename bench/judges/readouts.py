"""Tell ten questions of a bank's customers from ten others by each readout of a judge, on any engine.

    python examples/banking/engine/serve.py --model MODEL.gguf --host 127.0.0.1 --port 18765
    python bench/judges/readouts.py --url http://127.0.0.1:18765 [--readout CompletionLabel ...]

Prints the area under the curve of the value, labels that are right at 0.5, and seconds an exchange.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any

from modelward.api.exchange import Exchange, Message
from modelward.desired.evaluators import EndpointAddress, EvaluatorBlock, ResolvedEvaluator
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.judge.settings import READOUTS
from modelward.evaluate.kinds.judge import KIND
from modelward.evaluate.scoring import score
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.minilm import embed
from modelward.job.port import JobPort

BANK = (
    "My top up is pending", "What exchange rate do you give?", "I lost my phone, what now with my account?",
    "Can I get a second card for my daughter?", "What can I do if my card still hasn't arrived after 2 weeks?",
    "I am still waiting on my card?", "How do I locate my card?", "Why was I charged a fee for a cash withdrawal?",
    "How long does a transfer from Europe take?", "I want to change my PIN",
)  # fmt: skip
OTHER = (
    "set an alarm for six", "tell me a joke", "book me a table for two", "when does the next bus leave",
    "what movies are on tonight", "what is the weather like tomorrow", "play my favourite song",
    "how do you say hello in french", "what is the capital of peru", "how many calories are in an apple",
)  # fmt: skip
EXAMPLES = {
    "My card has not arrived.": "banking", "How do I bake bread?": "other", "Why was my transfer declined?": "banking",
    "Play some jazz.": "other",
}  # fmt: skip
BLOCK: dict[str, Any] = {
    "model": {"endpointRef": {"name": "judge"}},
    "rubric": "The question is about a bank's cards, accounts, payments or transfers.",
    "labels": {"fault": ["other"], "ok": ["banking"]},
    "examples": [{"question": question, "answer": "-", "label": label} for question, label in EXAMPLES.items()],
    "sees": ["Question"],
    "concurrency": 1,
    "deadlineSeconds": 600,
}


async def measured(url: str, readout: str) -> str:
    known = EvaluatorCatalogue({KIND.name: KIND})
    placed = known.placed(
        EvaluatorBlock("judge", "topic", BLOCK | {"readout": readout}), {"judge": EndpointAddress(url)}
    )
    assert isinstance(placed, EvaluatorBlock), placed
    judge = known.resolve(placed)
    assert isinstance(judge, ResolvedEvaluator), judge
    rows = [
        Exchange(f"e{i}", i, "retail/bot", "m", "r", "chat", 200, "ok", "Redacted", (Message("user", text),), "-")
        for i, text in enumerate((*BANK, *OTHER))
    ]
    begin = time.monotonic()
    scores = await score(known.scorer(judge, JobPort(SharedEmbeddings(embed), judge.pod.egress)), rows)
    each_s = (time.monotonic() - begin) / len(rows)
    pairs = [(one.value, place >= len(BANK)) for place, one in enumerate(scores) if one.value is not None]
    bad, good = ([value for value, is_bad in pairs if is_bad == wanted] for wanted in (True, False))
    if not bad or not good:
        return f"{readout}: nothing to compare, {sorted({one.label for one in scores})}"
    wins = sum((x > y) + 0.5 * (x == y) for x in bad for y in good) / (len(bad) * len(good))
    right = sum((value >= 0.5) == is_bad for value, is_bad in pairs)
    return f"{readout}: AUC {wins:.2f}, {right} of {len(pairs)} right at 0.5, {each_s:.1f} s each"


async def main() -> None:
    parser = argparse.ArgumentParser(description="Tell a bank's questions from others by each readout of a judge.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--readout", nargs="*", default=READOUTS)
    chosen = parser.parse_args()
    for readout in chosen.readout:
        print(await measured(chosen.url, readout), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
