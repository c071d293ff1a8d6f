"""What the benches of evaluators share: scoring texts, and keeping rates in measured.json beside those of others."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelward.api.exchange import Exchange, Message
from modelward.desired.evaluators import EvaluatorBlock
from modelward.evaluate.evaluators import measured
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import score
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.installed import catalogue, resolved
from modelward.job.minilm import embed
from modelward.job.port import JobPort

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MODELWARD_DATA", ROOT.parent / "shared" / "data")) / "eval"
"""The labelled sets; without the variable, the folder shared/data beside the checkout."""
FILE = Path(measured.__file__).with_name(measured.FILE)


def exchange(question: str, answer: str, **changes: Any) -> Exchange:
    """Return an exchange with these texts, which nobody has searched."""
    texts = {"messages": (Message("user", question),), "response": answer, "searched": False} | changes
    return Exchange("e", 0, "bench/chat", "m", "r", "chat", 200, "ok", "Full", **texts)


def judged(name: str, exchanges: Sequence[Exchange], config: Mapping[str, Any] | None = None) -> list[Score]:
    """Return the scores of a built-in evaluator, as its Job gives them."""
    known = catalogue()
    found = resolved(EvaluatorBlock("builtin", name, config or {}), known)
    return asyncio.run(score(known.scorer(found, JobPort(SharedEmbeddings(embed))), exchanges))


def flagged_share(scores: Iterable[Score]) -> tuple[float, int]:
    """Return which share of the judged was flagged, and how many were judged."""
    flags = [one.flagged for one in scores if one.state == "Scored"]
    return (sum(flags) / len(flags) if flags else 0.0), len(flags)


def rates(
    positives: Mapping[str, Sequence[Score]], negatives: Mapping[str, Sequence[Score]], dataset: str
) -> dict[str, Any]:
    """Return a row of measured.json: pooled rates, and those of each set that has both classes by itself."""

    def pooled(sets: Mapping[str, Sequence[Score]]) -> tuple[float, int]:
        return flagged_share([one for scores in sets.values() for one in scores])

    (true, positive_rows), (false, negative_rows) = pooled(positives), pooled(negatives)
    domains = [
        {"name": name, **_ppm(flagged_share(positives[name])[0], flagged_share(negatives[name])[0])}
        for name in positives
        if name in negatives
    ]
    row = {**_ppm(true, false), "dataset": dataset, "positives": positive_rows, "negatives": negative_rows}
    return row | ({"domains": domains} if len(domains) > 1 else {})


def _ppm(true_positive: float, false_positive: float) -> dict[str, int]:
    return {"true_positive_ppm": round(true_positive * 1e6), "false_positive_ppm": round(false_positive * 1e6)}


def keep(rows: Mapping[str, Any]) -> None:
    """Write rows into measured.json, and leave those of other evaluators as they are."""
    known = json.loads(FILE.read_text())
    FILE.write_text(json.dumps(dict(sorted((known | dict(rows)).items())), indent=2) + "\n")
