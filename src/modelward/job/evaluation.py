"""Running evaluations: a Job's plan against the hub, or one evaluator over a file by hand."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO, TypeVar

import orjson
import yaml
import zstandard

from modelward.api.evaluation import EvaluatorFacts, Plan, PlanItem, WindowResult
from modelward.api.exchange import Exchange, exchange_from_json
from modelward.evaluate.evaluators.registry import UnknownEvaluatorError, evaluator
from modelward.evaluate.interval import wilson
from modelward.evaluate.score import Scorer
from modelward.evaluate.scoring import score, window_result
from modelward.evaluate.verdict import spread
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.job.minilm import MiniLMUnavailableError, embed, shared_minilm
from modelward.reasons.checks import CheckReason

log = logging.getLogger(__name__)
MESSAGE_BYTES = 2_000
"""What fits in a termination message with room to spare: the kubelet cuts at 4096 over all containers."""
ERROR_CHARS = 160
PAUSES_S = (1.0, 5.0, 15.0)
"""Waits before the hub is asked again: a hub that restarts is back within seconds."""
FILE_BATCH = 256
CLIENT_ERROR = range(400, 500)
T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """How a run went: items planned, done and failed, and samples judged; never text of an exchange."""

    items: int = 0
    done: int = 0
    failed: int = 0
    samples: int = 0
    errors: list[str] = field(default_factory=list)

    def fail(self, item: PlanItem, cause: str) -> None:
        """Count an item as failed, and say why."""
        self.failed += 1
        self.errors.append(f"{item.endpoint}/{item.evaluation}: {cause}"[:ERROR_CHARS])
        log.error("item failed endpoint=%s evaluation=%s cause=%s", item.endpoint, item.evaluation, cause)

    def message(self) -> str:
        """Return the termination message: JSON of at most MESSAGE_BYTES, with as many errors as fit."""
        data = asdict(self)
        while len(text := json.dumps(data)) > MESSAGE_BYTES and data["errors"]:
            data["errors"].pop()
        return text


async def run_plan(plan: Plan, client: HubClient, termination: Path | None = None) -> Tally:
    """Judge every item and put its result to the hub; an item that fails does not keep the others from running.

    Writes the tally to `termination` too. The run has failed when `tally.failed` is not 0.
    """
    tally = Tally(items=len(plan.items))
    for item in plan.items:
        try:
            await _run_item(plan, item, client, tally)
        except HubUnavailableError as error:
            tally.fail(item, f"HubUnavailable: {error}")
        except Exception as error:  # noqa: BLE001  # whatever one item does, the others are owed their turn
            tally.fail(item, f"{type(error).__name__}: {error}")
    if termination:
        await asyncio.to_thread(termination.write_text, tally.message())
    return tally


async def _run_item(plan: Plan, item: PlanItem, client: HubClient, tally: Tally) -> None:
    try:
        judge = evaluator(item.builtin, item.config, embed)
    except UnknownEvaluatorError as error:
        tally.fail(item, str(error))
        await _patiently(lambda: client.put_result(_failing(plan, item)))
        return
    exchanges = await _patiently(
        lambda: client.window(plan.namespace, item.endpoint, item.from_ms, item.to_ms, item.max_samples)
    )
    result, scores = await asyncio.to_thread(
        window_result, item, namespace=plan.namespace, run=plan.run, evaluator=judge, exchanges=exchanges
    )
    await _patiently(lambda: client.put_result(result))
    tally.samples += sum(s.state == "Scored" for s in scores)
    failed = [s for s in scores if s.state == "Failed"]
    if result.reason == CheckReason.EVALUATOR_FAILING:
        tally.fail(item, f"no sample could be judged: {failed[0].label}")
    else:
        tally.done += 1
    log.info(
        "item done endpoint=%s evaluation=%s exchanges=%d failed=%d reason=%s",
        item.endpoint, item.evaluation, len(exchanges), len(failed), result.reason or "-",
    )  # fmt: skip


def _failing(plan: Plan, item: PlanItem) -> WindowResult:
    """Return the result of an evaluator that cannot even be made: it says so, and can never look like a pass."""
    return WindowResult(
        plan.namespace, item.endpoint, item.policy, item.evaluation, item.from_ms, item.to_ms, plan.run,
        EvaluatorFacts(item.builtin, "invalid"), reason=CheckReason.EVALUATOR_FAILING,
    )  # fmt: skip


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    for pause_s in PAUSES_S:
        try:
            return await ask()
        except HubUnavailableError as error:
            if error.status in CLIENT_ERROR:
                raise
            log.warning("hub asked again in_s=%s cause=%s", pause_s, error)
            await asyncio.sleep(pause_s)
    return await ask()


def load_evaluator(path: Path) -> Scorer:
    """Read an Evaluator resource, or just `{builtin, config}`; UnknownEvaluatorError says what is wrong with it."""
    try:
        document = yaml.safe_load(path.read_text())
        spec = document.get("spec", document)
        return evaluator(str(spec["builtin"]), spec.get("config") or {}, embed)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise UnknownEvaluatorError(f"{path}: neither an Evaluator nor {{builtin, config}}: {error}") from error


def score_file(evaluator_path: Path, input_path: Path, output_path: Path, progress: TextIO = sys.stderr) -> int:
    """Judge a file of exchanges (JSON lines, or .zst of them) and write one score per line, in order.

    Returns the exit code: 0, or 1 when a line was no exchange or could not be judged. UnknownEvaluatorError and
    MiniLMUnavailableError (a model is needed and not built) are the caller's to show.
    """
    judge = load_evaluator(evaluator_path)
    bad: list[int] = []
    scored = flagged = failed = 0
    with output_path.open("wb") as output:
        for batch in _batches(_exchanges(input_path, bad, progress)):
            scores = score(judge, batch)
            if any(one.label == MiniLMUnavailableError.__name__ for one in scores):
                shared_minilm()  # it says which command makes the model
            for result in scores:
                output.write(orjson.dumps(asdict(result)) + b"\n")
                scored += result.state == "Scored"
                flagged += result.flagged
                failed += result.state == "Failed"
            progress.write(f"scored {scored}, flagged {flagged}, failed {failed}\n")
    share = f", {spread(wilson(flagged, scored))} flagged (as seen, not corrected)" if scored else ""
    progress.write(
        f"{judge.facts.name} {judge.facts.version}: {scored} scored{share}, {failed} failed, {len(bad)} bad\n"
    )
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


__all__ = ["MiniLMUnavailableError", "Tally", "UnknownEvaluatorError", "load_evaluator", "run_plan", "score_file"]
