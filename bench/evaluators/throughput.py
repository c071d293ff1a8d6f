"""Measure the embedding pass: texts a second on one core, time to the first score, memory, and equality of the bits.

    python bench/evaluators/throughput.py [--write]

Times are processor time of one thread, which other work on the machine hardly moves. Prints JSON; --write puts it
into results.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from modelward.job.minilm import MiniLM, default_directory

QUESTIONS = (
    "Where is my card?",
    "Why was I charged twice for the same payment last week?",
    "I still have not received the card that I ordered ten days ago, can you tell me where it is?",
    "How do I change the PIN of my card when I am abroad?",
    "My transfer is pending since Monday. What is going on?",
    "Can I top up my account with cash?",
)
TEXTS = [f"{question} {number}" for number in range(60) for question in QUESTIONS]
ROUNDS = 5
FIRST_SCORE = """
import asyncio
from modelward.api.exchange import Exchange, Message
from modelward.desired.evaluators import EvaluatorBlock
from modelward.evaluate.scoring import score
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.installed import catalogue, resolved
from modelward.job.minilm import embed
from modelward.job.port import JobPort
known = catalogue()
block = EvaluatorBlock("builtin", "OffTopicAnswered", {"inScope": ["bank cards"]})
scorer = known.scorer(resolved(block, known), JobPort(SharedEmbeddings(embed)))
one = Exchange(id="1", time_ms=1, endpoint="e", model="m", revision="r", operation="chat", status=200, outcome="ok",
               content="Full", messages=(Message("user", "where is my card?"),), response="Here it is.")
(found,) = asyncio.run(score(scorer, [one]))
assert found.state == "Scored", found
"""
MEMORY = """
from pathlib import Path
from modelward.job.minilm import embed
embed(["how do I bake a cake " * 200] * 64)
embed([f"where is my card {i}" for i in range(2000)])
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


def texts_per_second(model: MiniLM) -> float:
    """Return the best of some rounds; a neighbour on the core makes the others slower, never faster."""
    best = 0.0
    for _ in range(ROUNDS):
        start = time.process_time()
        model.encode(TEXTS)
        best = max(best, len(TEXTS) / (time.process_time() - start))
    return best


def first_score_seconds() -> float:
    """Return the processor time of a process that starts, loads everything and scores one exchange; best of some."""
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", FIRST_SCORE], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def peak_megabytes() -> float:
    """Return the peak resident size of a process that embeds long texts and many short ones."""
    done = subprocess.run([sys.executable, "-c", MEMORY], check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024


def main() -> None:
    """Measure, and write when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    model = MiniLM()
    backwards = model.encode(TEXTS[::-1])[::-1]
    report: dict[str, Any] = {
        "shortTextsPerSecondPerCore": round(texts_per_second(model)),
        "startToFirstScoreCpuSeconds": round(first_score_seconds(), 2),
        "peakMegabytes": round(peak_megabytes()),
        "modelMegabytes": round((default_directory() / "encoder.onnx").stat().st_size / 1e6, 1),
        "sameBitsInAnotherOrder": bool(np.array_equal(model.encode(TEXTS), backwards)),
    }
    print(json.dumps(report, indent=2))
    if options.write:
        path = Path(__file__).with_name("results.json")
        known = json.loads(path.read_text()) if path.is_file() else {}
        path.write_text(json.dumps(known | {"embedding": report}, indent=2) + "\n")


if __name__ == "__main__":
    main()
