"""One evaluator over a file of exchanges, as a person runs it."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import orjson
import yaml
import zstandard

from modelward.api.exchange import Exchange, exchange_from_json
from modelward.desired.evaluators import block_of
from modelward.evaluate.interval import wilson
from modelward.evaluate.scoring import Scorer, score
from modelward.evaluate.verdict import spread
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.installed import UnknownEvaluatorError, catalogue, resolved
from modelward.job.minilm import MiniLMUnavailableError, embed, shared_minilm
from modelward.job.port import JobPort

FILE_BATCH = 256


def load_evaluator(path: Path) -> Scorer:
    """Read an Evaluator resource, or just `{builtin, config}`; UnknownEvaluatorError says what is wrong with it."""
    try:
        document = yaml.safe_load(path.read_text())
        block = block_of(document.get("spec", document), path.stem)
    except (yaml.YAMLError, AttributeError, ValueError) as error:
        raise UnknownEvaluatorError(f"{path}: neither an Evaluator nor {{builtin, config}}: {error}") from error
    found = resolved(block, catalogue())
    return catalogue().scorer(found, JobPort(SharedEmbeddings(embed), found.pod.egress))


def score_file(evaluator_path: Path, input_path: Path, output_path: Path, progress: TextIO = sys.stderr) -> int:
    """Judge a file of exchanges (JSON lines, or .zst of them) and write one score per line, in order.

    Returns the exit code: 0, or 1 when a line was no exchange or could not be judged. UnknownEvaluatorError and
    MiniLMUnavailableError (a model is needed and not built) are the caller's to show.
    """
    return asyncio.run(_score_file(load_evaluator(evaluator_path), input_path, output_path, progress))


async def _score_file(judge: Scorer, input_path: Path, output_path: Path, progress: TextIO) -> int:
    bad: list[int] = []
    scored = flagged = failed = 0
    with output_path.open("wb") as output:
        for batch in _batches(_exchanges(input_path, bad, progress)):
            scores = await score(judge, batch)
            if any(one.label == MiniLMUnavailableError.__name__ for one in scores):
                shared_minilm()  # it says which command makes the model
            for result in scores:
                output.write(orjson.dumps(asdict(result)) + b"\n")
                scored += result.state == "Scored"
                flagged += result.flagged
                failed += result.state == "Failed"
            progress.write(f"scored {scored}, flagged {flagged}, failed {failed}\n")
    share = f", {spread(wilson(flagged, scored))} flagged (as seen, not corrected)" if scored else ""
    facts = judge.evaluator.facts
    progress.write(f"{facts.name} {facts.version}: {scored} scored{share}, {failed} failed, {len(bad)} bad\n")
    return 1 if failed or bad else 0


def _exchanges(path: Path, bad: list[int], progress: TextIO) -> Iterator[Exchange]:
    with path.open("rb") as raw:
        lines: Any = raw
        if path.suffix == ".zst":
            lines = io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True))
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield exchange_from_json(orjson.loads(line))
            except (ValueError, RecursionError) as error:
                bad.append(number)
                progress.write(f"{path}:{number}: {error}\n")


def _batches(exchanges: Iterator[Exchange]) -> Iterator[list[Exchange]]:
    batch: list[Exchange] = []
    for exchange in exchanges:
        batch.append(exchange)
        if len(batch) == FILE_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
