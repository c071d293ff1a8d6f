"""A run by hand from files to files: progress and complaints on standard error, the summary where scores are not."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from modelward.api.exchange import Exchange, exchange_from_json
from modelward.cli.console import err
from modelward.cli.evaluate.endpoints import addresses_of
from modelward.cli.evaluate.progress import shown_progress
from modelward.cli.evaluate.quality_page import labels_line, quality_page
from modelward.cli.evaluate.summary import summary
from modelward.evaluate.quality.calibrating import MeasuredRates
from modelward.evaluate.quality.curve import curve_svg
from modelward.evaluate.quality.reliability import reliability
from modelward.evaluate.score import Score
from modelward.job.by_hand import score_exchanges
from modelward.job.evaluator_files import NamedEvaluator, load_evaluators
from modelward.job.json_lines import STANDARD_INPUT, BadLine, JsonLines, json_line_files
from modelward.job.label_file import ExchangeLabels, read_labels
from modelward.job.label_quality import LabelledRun, calibrated

TOLD_LINES = 20
"""Bad lines that are told one by one; of the others only how many there are and which is the last."""


class InputError(ValueError):
    """Nothing can be scored from what was given; the message says why."""


@dataclass(frozen=True, slots=True)
class HandRun:
    """What a person asked for; `-` is standard input or output."""

    evaluators: tuple[Path, ...]
    input: Path
    output: Path
    labels: Path | None = None
    curve: Path | None = None
    endpoints: tuple[str, ...] = ()


@dataclass(slots=True)
class BadLines:
    """Tells the first bad lines as they come, and counts them all."""

    count: int = 0
    newest: BadLine | None = None

    def add(self, found: BadLine) -> None:
        """Count one, and tell it unless there were many."""
        self.count, self.newest = self.count + 1, found
        if self.count <= TOLD_LINES:
            err.print(_told(found), markup=False, highlight=False, soft_wrap=True)

    def rest(self) -> str:
        """Return a sentence on those that were not told, or nothing."""
        if self.count <= TOLD_LINES or self.newest is None:
            return ""
        return f"{self.count - TOLD_LINES} more bad lines, the last: {_told(self.newest)}"


@dataclass(slots=True)
class ScoreFile:
    """Writes a line for each score."""

    stream: BinaryIO
    labelled: LabelledRun

    def write(self, named: NamedEvaluator, exchange: Exchange, score: Score) -> None:
        """Write one, and keep it where its exchange is labelled."""
        self.labelled.add(named, exchange, score)
        row = asdict(score)
        self.stream.write(orjson.dumps({"id": row.pop("id"), "evaluator": named.name, **row}) + b"\n")


def evaluate_by_hand(run: HandRun) -> int:
    """Score files, and print the summary and the quality against labels; return the exit code."""
    logging.getLogger("modelward.evaluate").setLevel(logging.ERROR)  # the summary says what failed
    evaluators, bad = load_evaluators(run.evaluators, addresses_of(run.endpoints)), BadLines()
    exchanges = JsonLines(_files(run), exchange_from_json, bad.add)
    labelled = LabelledRun(read_labels(run.labels, bad.add) if run.labels else ExchangeLabels())
    with _written(run.output) as stream, shown_progress(exchanges) as rows:
        tallies = asyncio.run(score_exchanges(evaluators, rows, ScoreFile(stream, labelled).write))
    page = sys.stderr if run.output == STANDARD_INPUT else sys.stdout
    page.write(summary(tallies, exchanges.rows, bad.count))
    if run.labels:
        page.writelines(asyncio.run(_quality(run, labelled)))
    if told := bad.rest():
        err.print(told, markup=False, highlight=False, soft_wrap=True)
    return 1 if bad.count or any(one.counts.failed for one in tallies) else 0


async def _quality(run: HandRun, labelled: LabelledRun) -> list[str]:
    """Return what is to be printed of quality, and write the curves."""
    pages = [f"\n{labels_line(labelled)}\n"]
    every = list(labelled.by_evaluator.values())
    for one in every:
        try:
            calibration: MeasuredRates | str = await calibrated(one)
        except ValueError as error:
            calibration = str(error)
        pages.append(f"\n{quality_page(one, calibration)}")
        if run.curve:
            path = _curve_path(run.curve, one.named.name, len(every))
            threshold = None if isinstance(calibration, str) or not calibration.threshold else calibration.threshold
            title = f"{one.named.name}: share at fault by value"
            bins = reliability(one.rows)
            path.write_text(curve_svg(bins, title, float(threshold) if threshold else None), encoding="utf-8")
            pages.append(f"\n  {path}: the curve\n")
    return pages


def _curve_path(path: Path, name: str, evaluators: int) -> Path:
    """Return the file of an evaluator's curve: with its name, where there are several."""
    return path if evaluators == 1 else path.with_name(f"{path.stem}-{name.replace('/', '-')}{path.suffix or '.svg'}")


def _files(run: HandRun) -> list[Path]:
    """Return what is read; InputError where nothing is there, or where it would be read while it is written."""
    try:
        files = json_line_files(run.input)
    except ValueError as error:
        raise InputError(str(error)) from error
    if run.output != STANDARD_INPUT and run.output.resolve() in {one.resolve() for one in files}:
        raise InputError(f"{run.output} is among what is read; write the scores to another file")
    return files


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    if path == STANDARD_INPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with path.open("wb") as stream:
        yield stream


def _told(found: BadLine) -> str:
    return f"{found.file}:{found.line}: {found.error}" if found.line else f"{found.file}: {found.error}"
