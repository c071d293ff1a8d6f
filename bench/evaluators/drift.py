"""Measure the evaluators of change: false alarms, power, bounds, windows to detection, and topics that are known again.

    python bench/evaluators/drift.py [coverage ...] [--repeats 30] [--output bench/evaluators/drift.json]

The traffic is BANKING77 (train), what moves in are questions of CLINC150's other domains: 500 reference rows as in
published comparisons, windows of 50 to 500. Prints and writes JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modelward.api.exchange import Exchange, Message, Timings
from modelward.evaluate.change import samples
from modelward.evaluate.evaluators import embedding_drift, numeric_drift, token_drift, topic_clusters
from modelward.evaluate.port import ScoringReply, ScoringRequest
from modelward.evaluate.statistics import permutation
from modelward.evaluate.statistics.clusters import clusters, same_topics, sketch
from modelward.evaluate.statistics.distances import total_variation
from modelward.evaluate.statistics.effect import effect
from modelward.evaluate.statistics.permutation import ConversationSums, by_conversation, halved_p_value
from modelward.evaluate.window_verdict import BUDGET_PER_DAY
from modelward.job.minilm import MiniLM

DATA = Path(os.environ.get("MODELWARD_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
"""The labelled sets; without the variable, the folder shared/data beside the checkout."""
ALPHA = 0.05
MOST = permutation.MOST
REFERENCE = 500
ROWS = 2_000
WINDOWS = 12
"""In which a jump may be found."""
NOT_FOUND = 99
OTHER_DOMAINS = ("travel", "kitchen_and_dining", "work", "auto_and_commute", "home", "small_talk", "utility", "meta")


Cells: TypeAlias = tuple[tuple[float, tuple[int, ...]], ...]


class Known:
    """A port whose texts are embedded once and for all."""

    def __init__(self, texts: Sequence[str], kept: Path | None) -> None:
        if kept is None or not kept.is_file():
            vectors = MiniLM().encode(list(texts))
            if kept is not None:
                np.save(kept, vectors)
        else:
            vectors = np.load(kept, allow_pickle=False)
        self._of = dict(zip(texts, vectors, strict=True))

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return what was embedded."""
        return np.array([self._of[text] for text in texts], np.float32)

    async def post(self, request: ScoringRequest) -> ScoringReply:
        """Nothing is asked."""
        raise NotImplementedError(request.url)


def texts() -> tuple[list[str], list[tuple[str, str]]]:
    """Return questions to a bank, and others with their domains."""
    folder = DATA / "eval"
    with (folder / "banking77" / "train.csv").open(newline="") as file:
        bank = sorted({row["text"] for row in csv.DictReader(file)})
    rows = json.loads((folder / "clinc-oos" / "data_full.json").read_text())
    domains = json.loads((folder / "clinc-oos" / "domains.json").read_text())
    of_intent = {intent: domain for domain, intents in domains.items() for intent in intents}
    other = sorted({(text, of_intent[intent]) for text, intent in rows["train"] if of_intent[intent] in OTHER_DOMAINS})
    rng = np.random.default_rng(7)
    return [bank[i] for i in rng.permutation(len(bank))[:ROWS]], [other[i] for i in rng.permutation(len(other))[:ROWS]]


def exchanges(tag: str, questions: Sequence[str], slower: float = 1.0, seed: int = 0) -> list[Exchange]:
    """Return an exchange for each question; every latency is log-normal, times `slower`."""
    durations = np.random.default_rng(seed).lognormal(6, 0.7, len(questions)) * slower
    return [
        Exchange(
            id=f"{tag}{i}", time_ms=i, endpoint="bank/chat", model="m", revision="r", operation="chat", status=200,
            outcome="ok", content="Redacted", messages=(Message("user", text),), response=text,
            timings=Timings(float(duration)),
        )
        for i, (text, duration) in enumerate(zip(questions, durations, strict=True))
    ]  # fmt: skip


COMPARED = {
    "EmbeddingDrift": (embedding_drift.compare, embedding_drift.EmbeddingDriftConfig()),
    "TokenDrift": (token_drift.compare, token_drift.TokenDriftConfig()),
    "TopicClusters": (topic_clusters.compare, topic_clusters.TopicClustersConfig(topics=20)),
    "NumericDrift": (numeric_drift.compare, numeric_drift.NumericDriftConfig(number="Duration")),
}


async def power(port: Known, bank: list[str], other: list[str], repeats: int, cells: Cells) -> list[dict[str, Any]]:
    """Return how often each finds a share of other questions (of NumericDrift: latencies 1 + share times as long)."""
    report = []
    permutation.MOST = 999  # all that a level of 5 % asks for
    for share, sizes in cells:
        for size in sizes:
            found: dict[str, list[Any]] = {name: [] for name in COMPARED}
            began = dict.fromkeys(COMPARED, 0.0)
            for repeat in range(repeats * (3 if share == 0 else 1)):
                rng = np.random.default_rng([repeat, size, round(100 * share)])
                rows = [bank[i] for i in rng.permutation(len(bank))[: REFERENCE + size]]
                strange = [other[i] for i in rng.permutation(len(other))[: round(share * size)]]
                questions = [*rows[REFERENCE + len(strange) :], *strange]
                window = exchanges(f"w{repeat}-", questions, 1 + share, repeat)
                pair = samples(window, exchanges("r", rows[:REFERENCE], seed=repeat + 1_000))
                for name, (compare, config) in COMPARED.items():
                    start = time.perf_counter()
                    found[name].append(await compare(config, pair, port))  # type: ignore[operator]
                    began[name] += time.perf_counter() - start
            for name, rows_of in found.items():
                report.append(
                    {
                        "evaluator": name, "share": share, "window": size, "repeats": len(rows_of),
                        "found": round(float(np.mean([one.p_value <= ALPHA for one in rows_of])), 3),
                        "effect": round(float(np.mean([one.effect.value for one in rows_of])), 3),
                        "low": round(float(np.mean([one.effect.low for one in rows_of])), 3),
                        "high": round(float(np.mean([one.effect.high for one in rows_of])), 3),
                        "seconds": round(began[name] / len(rows_of), 3),
                    }
                )  # fmt: skip
                print(report[-1], flush=True)
    return report


def drawn(rng: np.random.Generator, size: int, shares: NDArray[np.float64], tag: str) -> ConversationSums:
    """Return conversations of two equal exchanges each, of ten kinds."""
    kinds = rng.choice(10, size // 2, p=shares)
    return by_conversation(np.eye(10)[np.repeat(kinds, 2)], np.ones(size), [f"{tag}{i // 2}" for i in range(size)])


def coverage(trials: int) -> list[dict[str, Any]]:
    """Return how often the bounds of an effect hold its true value, which is known for drawn kinds."""
    even, report = np.full(10, 0.1), []
    for moved in (0.0, 0.05, 0.1, 0.2, 0.3):
        shares = even.copy()
        shares[:5] += moved / 5
        shares[5:] -= moved / 5
        for size in (100, 300, 1_000):
            rng = np.random.default_rng([size, round(100 * moved)])
            rows = [
                effect(drawn(rng, size, shares, "w"), drawn(rng, 2_000, even, "r"), total_variation, trial)
                for trial in range(trials)
            ]
            report.append(
                {
                    "moved": moved, "window": size, "trials": trials,
                    "covered": round(float(np.mean([one.low - 1e-9 <= moved <= one.high + 1e-9 for one in rows])), 3),
                    "lowAbove": round(float(np.mean([one.low > moved + 1e-9 for one in rows])), 3),
                    "high": round(float(np.mean([one.high for one in rows])), 3),
                }
            )  # fmt: skip
            print(report[-1], flush=True)
    return report


def looks(days: int) -> dict[str, Any]:
    """Return the false alarms of healthy days: 96 looks of 20 new exchanges each at the last hour, one reference."""
    even = np.full(10, 0.1)
    budget, values, alarms = 0.05, [], 0
    for day in range(days):
        rng = np.random.default_rng([day, 96])
        reference, parts = drawn(rng, 2_000, even, "r"), [rng.choice(10, 20, p=even) for _ in range(96 + 3)]
        least = 1.0
        for look in range(96):
            kinds = np.concatenate(parts[look : look + 4])
            names = [f"{look + i // 20}/{i % 20}" for i in range(len(kinds))]
            window = by_conversation(np.eye(10)[kinds], np.ones(len(kinds)), names)
            p = halved_p_value(window, reference, total_variation, day * 96 + look)
            values.append(p)
            least = min(least, p)
        alarms += least <= budget / 96
    found = np.array(values)
    return {
        "days": days, "looksADay": 96, "budgetADay": budget, "daysWithAlarm": alarms / days,
        "pBelow": {str(level): round(float((found <= level).mean()), 5) for level in (0.1, 0.05, 0.01, 0.001)},
    }  # fmt: skip


async def detection(port: Known, bank: list[str], other: list[str], trials: int) -> list[dict[str, Any]]:
    """Return the windows until a jump to 20 % or 40 % other questions is found: 50 texts a window, 200 in sight."""
    compare, config = COMPARED["EmbeddingDrift"]
    permutation.MOST = MOST
    report = []
    for share in (0.2, 0.4):
        needed: dict[str, list[int]] = {name: [] for name in ("Warning", "Critical")}
        for trial in range(trials):
            rng = np.random.default_rng([trial, round(100 * share)])
            rows = [bank[i] for i in rng.permutation(len(bank))]
            strange = [other[i] for i in rng.permutation(len(other))]
            reference, seen = exchanges("r", rows[:1_000]), [rows[1_000 + 50 * i : 1_050 + 50 * i] for i in range(3)]
            values = []
            for window in range(WINDOWS):
                many = round(50 * share)
                new = [*rows[1_200 + 50 * window : 1_250 + 50 * window - many], *strange[window * many :][:many]]
                seen.append(new)
                asked = [text for part in seen[-4:] for text in part]
                pair = samples(exchanges(f"{trial}-{window}-", asked), reference)
                values.append((await compare(config, pair, port)).p_value)  # type: ignore[operator, arg-type]
                if values[-1] <= BUDGET_PER_DAY["Critical"] / 96:
                    break
            for severity, found in needed.items():
                limit = BUDGET_PER_DAY[severity] / 96  # type: ignore[index]
                found.append(next((i + 1 for i, value in enumerate(values) if value <= limit), NOT_FOUND))
        within = {name: sum(windows <= WINDOWS for windows in found) for name, found in needed.items()}
        medians = {name: float(np.median(found)) for name, found in needed.items()}
        report.append({"share": share, "trials": trials, **medians, "within": {"windows": WINDOWS, **within}})
        print(report[-1], flush=True)
    return report


async def known_again(port: Known, other: list[tuple[str, str]]) -> dict[str, Any]:
    """Return how often a topic of one window is known again in the next one, and how often as another one."""
    kept = wrong = lost = 0
    for repeat in range(10):
        order = np.random.default_rng([repeat, 3]).permutation(len(other))
        halves = []
        for part in (order[:800], order[800:1_600]):
            vectors = (await port.embed([other[i][0] for i in part])).astype(np.float64)
            labels, centres = clusters(vectors, 10, repeat)
            names = np.array([other[i][1] for i in part])
            main = [max(set(names[labels == n]), key=list(names[labels == n]).count) for n in range(len(centres))]
            halves.append(([sketch(one) for one in centres], main))
        same = same_topics(halves[1][0], halves[0][0])
        for number, name in enumerate(halves[1][1]):
            if number not in same:
                lost += 1
            elif halves[0][1][same[number]] == name:
                kept += 1
            else:
                wrong += 1
    return {"topics": kept + wrong + lost, "kept": kept, "wrong": wrong, "new": lost}


CELLS = ((0.0, (50, 100, 200, 500)), (0.1, (200, 500)), (0.2, (100, 200, 500)))
"""Shares of other questions, each with the sizes of windows."""
QUICK_CELLS = ((0.2, (100, 200)), (0.0, (50, 100)))
PARTS = ("knownAgain", "coverage", "looks", "power", "detection")


async def measured(part: str, repeats: int, days: int, kept: Path | None, *, quick: bool) -> Any:
    """Return one part of the results."""
    if part == "coverage":
        return coverage(10 * repeats)
    if part == "looks":
        return looks(days)
    bank, other = texts()
    port = Known([*bank, *(text for text, _ in other)], kept)
    if part == "knownAgain":
        return await known_again(port, other)
    strange = [text for text, _ in other]
    if part == "power":
        return await power(port, bank, strange, repeats, QUICK_CELLS if quick else CELLS)
    return await detection(port, bank, strange, repeats)


def main() -> None:
    """Measure some parts, all if none is named, and write each into the file beside what is there of the others."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=PARTS)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--quick", action="store_true", help="four cells of power")
    parser.add_argument("--vectors", type=Path, help="an .npy file that keeps the embeddings for the next run")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("drift.json"))
    options = parser.parse_args()
    for part in options.parts:
        found = asyncio.run(measured(part, options.repeats, options.days, options.vectors, quick=options.quick))
        before = json.loads(options.output.read_text()) if options.output.is_file() else {}
        options.output.write_text(json.dumps({**before, part: found}, indent=2) + "\n")
        print(json.dumps({part: found}, indent=2))


if __name__ == "__main__":
    main()
