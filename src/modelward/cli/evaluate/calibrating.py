"""`modelward evaluators calibrate`: a calibration as a Job, and the same by hand."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from modelward.api.calibration import CalibrationOutcome, repeated
from modelward.api.calibration_plan import CalibrationPlan, calibration_plan_from_json
from modelward.api.collector_config import HUB_CA_FILE_NAME
from modelward.cli.evaluate.endpoints import addresses_of
from modelward.cli.evaluate.exporting import config_map_text
from modelward.clock import now_ms
from modelward.evaluate.calibration.floor import Floor, below_floor
from modelward.evaluate.calibration.told import calibration_lines
from modelward.hub_client.client import HubClient
from modelward.job.calibration.label_records import LabelRecords, files_of, read_label_records
from modelward.job.calibration.memory import HubLabelStore, NoLabelStore
from modelward.job.calibration.runner import CalibrationRun, price_of
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.evaluator_files import load_evaluators
from modelward.job.installed import UnknownEvaluatorError, catalogue
from modelward.job.marks import Marks
from modelward.job.minilm import embed
from modelward.reasons.calibration import CalibrationReason

LABELS_FOLDER = Path("/etc/modelward/labels")
TOKEN_FILE = Path("/var/run/modelward/token")


def calibrate_job(plan_file: Path, labels: Path = LABELS_FOLDER) -> int:
    """Carry out a calibration's plan; the hub's certificate stands beside it, the labels where the pod mounts them."""
    from modelward.cli.logs import configure_logging

    configure_logging("text", "INFO")
    plan = calibration_plan_from_json(json.loads(plan_file.read_text()))
    authority = plan_file.parent / HUB_CA_FILE_NAME
    pem = authority.read_text() if authority.exists() else None
    records = read_label_records(files_of(labels) if labels.is_dir() else [])

    async def run() -> None:
        async with HubClient(plan.hub_url, pem, lambda: TOKEN_FILE.read_text().strip()) as client:
            store = HubLabelStore(client, plan.namespace, plan.evaluator)
            known, embeddings = catalogue().within(plan.allowed_hosts), SharedEmbeddings(embed)
            about = (plan, records, store, known, embeddings, now_ms, partial(_tell, client))
            marks = Marks(client, plan.namespace)
            await CalibrationRun(*about, allowed_hosts=plan.allowed_hosts, marks=marks).run()

    asyncio.run(run())
    return 0


async def _tell(client: HubClient, found: CalibrationOutcome) -> None:
    """Put what is known into the hub; neither a beginning nor a failure takes the place of rates of this version."""
    before = await client.calibration(found.namespace, found.evaluator) if found.reason else None
    told = repeated(before, found)
    if told is found or found.reason != CalibrationReason.CALIBRATING:
        await client.put_calibration(told)


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person calibrates: an evaluator against labels, and where LLMEndpoints are that a judge asks."""

    evaluator: Path
    labels: Path
    endpoints: tuple[str, ...] = ()
    output: Path | None = None
    dry_run: bool = False


def calibrate_by_hand(asked: ByHand) -> int:
    """Calibrate one evaluator of a file against a file of labels, and print what status would have."""
    evaluator, labels = asked.evaluator, asked.labels
    [named, *more] = load_evaluators([evaluator], addresses_of(asked.endpoints))
    if more:
        raise UnknownEvaluatorError(f"{evaluator}: one evaluator is calibrated at a time, and it holds {len(more) + 1}")
    records, one = read_label_records([labels]), named.evaluator
    price = price_of(one, [record.exchange for record in records.records])
    sys.stdout.write(f"{_labels(records)}\nabout {price:,} tokens\n")
    if asked.dry_run:
        return 0
    names = ("by-hand", named.name, one.kind, one.name)
    plan = CalibrationPlan(*names, one.config, one.facts.version, "", "", max_tokens=max(500_000, 2 * price))

    async def tell(_: CalibrationOutcome) -> None:
        """Do nothing: the page is printed at the end."""

    run = CalibrationRun(plan, records, NoLabelStore(), catalogue(), SharedEmbeddings(embed), now_ms, tell)
    found = asyncio.run(run.run())
    short = below_floor(found, Floor(), one.facts.version, now_ms())
    sys.stdout.write("\n".join(calibration_lines(found)) + "\n")
    sys.stdout.write(f"{short.reason}: {short.message}\n" if short else "it may alert\n")
    if asked.output and found.positives:
        asked.output.write_text(config_map_text(found), encoding="utf-8")
        sys.stdout.write(f"wrote {asked.output}: name it in spec.calibration.finished\n")
    return 1 if short else 0


def _labels(records: LabelRecords) -> str:
    number, faults = len(records.records), records.faults
    parts = [f"{number} labels: {faults} fault, {number - faults} ok"]
    parts += [f"{records.contradicted} contradict each other, and are left out"] if records.contradicted else []
    parts += [f"{records.unsure} are neither fault nor ok"] if records.unsure else []
    parts += [records.first_bad()] if records.bad else []
    return "; ".join(parts)
