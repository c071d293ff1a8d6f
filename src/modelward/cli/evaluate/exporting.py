"""`modelward evaluators export`: a calibration from an Evaluator's status, for another cluster."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import ValidationError

from modelward.api.calibration import PPM, CalibrationOutcome
from modelward.api.evaluator import Evaluator
from modelward.api.finished_calibration import finished_config_map
from modelward.api.quantity import timestamp_ms
from modelward.evaluate.quality.confusion import Confusion

NAME_END = "-calibration"


class ExportError(ValueError):
    """There is nothing to export; the message says why."""


def config_map_text(found: CalibrationOutcome, name: str = "") -> str:
    """Return the YAML of a ConfigMap; ExportError of a calibration without rates."""
    try:
        manifest = finished_config_map(found, name or f"{found.evaluator}{NAME_END}"[:253])
    except ValueError as error:
        raise ExportError(str(error)) from error
    text: str = yaml.dump(manifest, Dumper=_Blocks, sort_keys=False)
    return text


def exported(text: str, name: str = "") -> str:
    """Return the same of an Evaluator as `kubectl get llmeval NAME -o yaml` prints it. Raises ExportError."""
    try:
        evaluator = Evaluator.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as error:
        raise ExportError(f"not one Evaluator, as kubectl prints it: {type(error).__name__}") from error
    return config_map_text(_outcome(evaluator), name)


def _outcome(evaluator: Evaluator) -> CalibrationOutcome:
    """Return what was found, by the counts in status; what is short there is counted again from them."""
    about, status = evaluator.metadata, evaluator.status.calibration
    if status is None or status.true_positive is None or status.false_positive is None:
        raise ExportError(f"Evaluator {about.name} has no rates in status.calibration: it was not calibrated")
    true, false = status.true_positive, status.false_positive
    kappa = Confusion(true.count, true.n - true.count, false.count, false.n - false.count).kappa
    flipped, _, attacked = status.injection_flips.partition("/")
    return CalibrationOutcome(
        about.namespace, about.name, status.version, status.labels_version, timestamp_ms(status.at),
        labels=status.labels, found=true.count, positives=true.n, false_alarms=false.count, negatives=false.n,
        kappa_ppm=round(kappa.value * PPM), kappa_low_ppm=round(kappa.low * PPM),
        kappa_high_ppm=round(kappa.high * PPM),
        readout=status.readout, threshold=status.threshold, abstain_below=status.abstain_below,
        attacked=int(attacked or 0), flipped=int(flipped or 0), answered=status.answered, unread=status.unread,
        labels_digest=status.labels_digest,
    )  # fmt: skip


class _Blocks(yaml.SafeDumper):
    """Writes text of several lines as a block, as people do."""


def _block(dumper: yaml.SafeDumper, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Blocks.add_representer(str, _block)
