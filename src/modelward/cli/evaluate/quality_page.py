"""What `--labels` prints: quality, groups, the reliability curve, and a calibration to paste."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelward.cli.evaluate.table import aligned
from modelward.evaluate.interval import Interval
from modelward.evaluate.quality.calibrating import MeasuredRates
from modelward.evaluate.quality.confusion import Confusion, confusion
from modelward.evaluate.quality.curve import drawn_curve
from modelward.evaluate.quality.groups import group_alarms
from modelward.evaluate.quality.labelled import LabelledScore
from modelward.evaluate.quality.ranking import ranking
from modelward.evaluate.quality.reliability import reliability
from modelward.evaluate.verdict import spread
from modelward.job.installed import builtins
from modelward.job.label_file import ExchangeLabels
from modelward.job.label_quality import LabelledRows, LabelledRun, takes_setting


def labels_line(run: LabelledRun) -> str:
    """Return a sentence on the labels themselves."""
    labels = run.labels
    parts = [f"{len(labels.by_key):,} exchanges are labelled"]
    parts += [f"{run.unknown:,} of them are not in the input"] if run.unknown else []
    parts += [f"{labels.unsure:,} are neither fault nor ok"] if labels.unsure else []
    parts += [_repeated(labels)] if labels.repeated else []
    return "; ".join(parts)


def quality_page(labelled: LabelledRows, calibration: MeasuredRates | str) -> str:
    """Return the page of one evaluator; `calibration` may be the words why there is none."""
    counts = confusion(labelled.rows)
    heading = f"{labelled.named.name}: {len(labelled.rows):,} labelled exchanges scored, {counts.at_fault:,} at fault"
    parts = [
        [heading, *_indented(_quality(labelled, counts)), *_indented(_remarks(labelled))],
        _indented(_groups(labelled.rows)),
        _indented(_curve(labelled)),
        _calibration(labelled, calibration),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _quality(labelled: LabelledRows, counts: Confusion) -> list[str]:
    flags = counts.found + counts.false_alarms
    rows = [
        ("faults found (TPR)", spread(counts.true_positive_rate), f"{counts.found:,} of {counts.at_fault:,}"),
        ("false alarms (FPR)", spread(counts.false_positive_rate), f"{counts.false_alarms:,} of {counts.good:,}"),
        ("precision", spread(counts.precision) if flags else "-", f"{counts.found:,} of {flags:,}"),
        ("F1", _decimal(counts.f1), ""),
        ("kappa", _decimal(counts.kappa), ""),
    ]
    if area := ranking(labelled.rows, low_is_bad=_low_is_bad(labelled)):
        rows.append(("AUC of the value", _decimal(area), ""))
    return aligned(rows)


def _remarks(labelled: LabelledRows) -> Iterator[str]:
    for state in ("NotApplicable", "NotCaptured", "Failed"):
        faults, good = labelled.left_out[state, True], labelled.left_out[state, False]
        if faults or good:
            yield f"labelled and {_WORDS[state]}: {faults + good:,}, of them at fault: {faults:,}"
    clusters = len({row.cluster for row in labelled.rows})
    if clusters < len(labelled.rows):
        yield f"of {clusters:,} conversations; the intervals take exchanges as independent, and are too narrow"


_WORDS = {"NotApplicable": "not applicable", "NotCaptured": "not captured", "Failed": "failed"}


def _groups(rows: Sequence[LabelledScore]) -> list[str]:
    found = group_alarms(rows)
    if not found:
        return []
    cells = [
        (
            one.group,
            spread(one.rate),
            f"{one.false_alarms:,} of {one.good:,}",
            "more than the others" if one.above else "",
        )
        for one in found
    ]
    return ["false alarms by group", *aligned(cells)]


def _curve(labelled: LabelledRows) -> list[str]:
    bins = reliability(labelled.rows)
    return ["share at fault by value", *drawn_curve(bins)] if len(bins) > 1 else []


def _calibration(labelled: LabelledRows, found: MeasuredRates | str) -> list[str]:
    if isinstance(found, str):
        return [f"  no calibration: {found}"]
    measured = f"{spread(found.true_positive_rate)} found, {spread(found.false_positive_rate)} false alarms"
    if found.threshold:
        lines = [
            f"  # {measured}: each fifth measured at the threshold that the others chose",
            f"  # ({', '.join(found.of_folds)}); the threshold below is the choice of all together",
            f'  threshold: "{found.threshold}"',
        ]
    else:
        lines = [f"  # {measured}; right unless something was chosen or trained on these labels"]
    if not takes_setting(labelled.named, "calibration"):
        return [*lines, "  # this evaluator takes no calibration"]
    return [
        "  paste into the evaluator's config:",
        *lines,
        "  calibration:",
        f'    truePositive: "{_percent(found.true_positive_rate)}"',
        f'    falsePositive: "{_percent(found.false_positive_rate)}"',
        f"    positives: {found.positives}",
        f"    negatives: {found.negatives}",
    ]


def _low_is_bad(labelled: LabelledRows) -> bool:
    builtin = builtins().get(labelled.named.evaluator.name)
    return builtin is not None and builtin.manifest.value_direction == "HigherIsBetter"


def _repeated(labels: ExchangeLabels) -> str:
    return f"{labels.repeated:,} were labelled again, {labels.contradicted:,} of them otherwise, which leaves them out"


def _indented(lines: Sequence[str] | Iterator[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _decimal(interval: Interval) -> str:
    return f"{interval.value:.2f} ({interval.low:.2f}-{interval.high:.2f})"


def _percent(interval: Interval) -> str:
    return f"{interval.value:.2%}".replace(".00%", "%")
