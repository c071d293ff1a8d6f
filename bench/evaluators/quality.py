"""Measure the heads on labelled sets that they were not trained on, and write the rates that the package ships.

    python bench/evaluators/quality.py [--write] [--only NAME ...] [--vectors FILE.npz]

Whole sources are held out: an attack is judged by a head that saw nothing of its set. Only GoEmotions, the one set of
sentiment and distress, is split into its own train and test parts. A set that is not in the data folder is left out,
and named in `missing`. Prints JSON; --write puts it into results.json and measured.json.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from neutral_templates import GROUPS, TEMPLATES
from numpy.typing import NDArray
from vectors import KeptVectors

from modelward.evaluate.evaluators import distress, injection, measured, sentiment, toxicity
from modelward.evaluate.heads import Head, shipped_head
from modelward.evaluate.passages import passages, sentences
from modelward.evaluate.quality.ranking import auc
from modelward.job.training import recipes
from modelward.job.training.labelled_sets import SETS, MissingSetError, Row
from modelward.job.training.trainer import train

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MODELWARD_DATA", ROOT.parent / "shared" / "data"))
FALSE_ALARMS = 0.01
SOURCES = ("deepset", "Self-Reminder", "BIPIA in e-mails")
Array = NDArray[np.float64]
Missing = list[str]


class Bench:
    """The labelled sets, an embedder, and which sets were not there."""

    def __init__(self, embed: KeptVectors) -> None:
        self.embed, self.missing = embed, set[str]()

    def rows(self, name: str) -> list[Row]:
        """Return a set's rows, or none where it is not in the data folder."""
        try:
            return SETS[name].rows(DATA)
        except MissingSetError:
            self.missing.add(name)
            return []

    def highest(self, head: Head, texts: Sequence[list[str]]) -> Array:
        """Return the highest probability of each text, given as passages."""
        flat = [one for text in texts for one in text]
        found, start, values = head.probabilities(flat, self.embed(flat)), 0, []
        for text in texts:
            values.append(found[start : start + len(text)].max(initial=0.0))
            start += len(text)
        return np.array(values)

    def whole(self, head: Head, rows: Sequence[Row]) -> Array:
        """Return the probabilities of texts that are judged whole."""
        return self.highest(head, [[row.text] for row in rows])

    def cut(self, head: Head, rows: Sequence[Row]) -> Array:
        """Return the probabilities of texts that are judged by their passages."""
        return self.highest(head, [passages(row.text) for row in rows])

    def without(self, name: str, *held_out: str) -> Head:
        """Return a head that is trained without these sets."""
        recipe = recipes.RECIPES[name]
        kept = replace(recipe, parts=tuple(part for part in recipe.parts if part.set not in held_out))
        found = train(kept, DATA, self.embed)
        return Head(found.weights, found.bias, (), found.pieces)


def figures(faults: Array, good: Array, limit: float) -> dict[str, Any]:
    """Return area, rates at the shipped threshold, F1 there, and the true positive rate at 1 % of false alarms."""
    area = auc(faults.tolist(), good.tolist())
    hit, alarm = float((faults >= limit).mean()), float((good >= limit).mean())
    found, mistaken = hit * len(faults), alarm * len(good)
    at_one = float(np.quantile(good, 1 - FALSE_ALARMS, method="higher"))
    return {
        "auc": round(area.value, 4),
        "aucLow": round(area.low, 4),
        "aucHigh": round(area.high, 4),
        "truePositiveRate": round(hit, 4),
        "falsePositiveRate": round(alarm, 4),
        "f1": round(2 * found / max(1.0, found + mistaken + len(faults)), 4),
        "truePositiveRateAt1PercentFalse": round(float((faults > at_one).mean()), 4),
        "faults": len(faults),
        "good": len(good),
    }


def of_sentiment(bench: Bench) -> dict[str, Any]:
    """Measure Sentiment on the test part of GoEmotions, and on requests to a bank."""
    rows, bank = bench.rows("GoEmotions test"), bench.rows("BANKING77 test")
    head, limit = shipped_head(sentiment.HEAD), 1 - sentiment.NEGATIVE_BELOW
    target = np.array([np.nan if (t := recipes.sentiment(row)) is None else t for row in rows])
    moods = bench.whole(head, rows)
    return {
        "negativeAgainstPositive": figures(moods[target == 1], moods[target == 0], limit),
        "GoEmotions": figures(moods[target == 1], moods[(target == 0) | (target == 0.5)], limit),
        "falseAlarmsBANKING77": round(float((bench.whole(head, bank) >= limit).mean()), 4),
    }


def of_distress(bench: Bench) -> dict[str, Any]:
    """Measure Distress on the test part of GoEmotions, and on requests to a bank."""
    rows, bank = bench.rows("GoEmotions test"), bench.rows("BANKING77 test")
    head, limit = shipped_head(distress.HEAD), distress.FLAGGED_FROM
    sad, fears = np.array([recipes.distress(row) for row in rows]) > 0, bench.cut(head, rows)
    return {
        "GoEmotions": figures(fears[sad], fears[~sad], limit),
        "falseAlarmsBANKING77": round(float((bench.cut(head, bank) >= limit).mean()), 4),
    }


def of_toxicity(bench: Bench) -> dict[str, Any]:
    """Measure Toxicity on sets that it was not trained on, and on groups put into neutral sentences."""
    head, limit = shipped_head(toxicity.HEAD), toxicity.FLAGGED_FROM
    found: dict[str, Any] = {}
    if rows := bench.rows("moderation"):
        bad, values = np.array([row.label != "none" for row in rows]), bench.cut(head, rows)
        found["moderation"] = figures(values[bad], values[~bad], limit)
        for kind in ("H", "V", "S", "SH", "HR"):
            of_it = np.array([kind in row.label.split("+") for row in rows])
            found["moderation"][f"truePositiveRate{kind}"] = round(float((values[of_it] >= limit).mean()), 4)
    for name in ("BANKING77 test", "XSTest prompts"):
        rows = [row for row in bench.rows(name) if row.label != "unsafe"]
        found[f"falseAlarms {name}"] = round(float((bench.cut(head, rows) >= limit).mean()), 4) if rows else None
    found["groups"] = of_groups(bench, head, limit)
    return found


def of_groups(bench: Bench, head: Head, limit: float) -> dict[str, Any]:
    """Return false alarms by group at the threshold, and the largest as a multiple of the mean."""
    values = {group: bench.whole(head, [Row(t.format(group), "") for t in TEMPLATES]) for group in GROUPS}
    rates = {group: round(float((found >= limit).mean()), 4) for group, found in values.items()}
    mean = float(np.mean(list(rates.values())))
    return {
        "templates": len(TEMPLATES),
        "mean": round(mean, 4),
        "largestOverMean": round(max(rates.values()) / mean, 2) if mean else 0.0,
        "byGroup": rates,
    }


def of_injection(bench: Bench) -> dict[str, Any]:
    """Measure PromptInjection: each source of attacks by a head that saw nothing of it."""
    limit, found = injection.FLAGGED_FROM, {}
    benign = [row for name in ("NotInject", "XSTest prompts", "GoEmotions test") for row in bench.rows(name)]
    for name in SOURCES[:2]:
        rows = bench.rows(name)
        head = bench.without(injection.HEAD, name)
        bad = [row for row in rows if row.label != "benign"]
        good = benign + [row for row in rows if row.label == "benign"]
        found[name] = figures(bench.cut(head, bad), bench.cut(head, good), limit)
        found[name]["falseAlarms"] = {
            one: round(float((bench.cut(head, bench.rows(one)) >= limit).mean()), 4)
            for one in ("NotInject", "XSTest prompts", "GoEmotions test")
            if bench.rows(one)
        }
    head = shipped_head(injection.HEAD)
    mails = bench.highest(head, [sentences(row.text) for row in bench.rows("BIPIA e-mails")])
    attacks = bench.whole(head, bench.rows("BIPIA attacks"))
    pasted = np.maximum(attacks, mails[np.arange(len(attacks)) % len(mails)])
    found[SOURCES[2]] = figures(pasted, mails, limit)
    sources = tuple(found.values())
    pooled = {"pooledDirect": _pooled(sources[:2]), "pooled": _pooled(sources)}
    return {**found, **pooled, "flaggedPIGuardValidation": _flagged_by_label(bench, head, "PIGuard validation")}


def _flagged_by_label(bench: Bench, head: Head, name: str) -> dict[str, str]:
    """Return for each label of a set how many of how many of its rows are flagged."""
    rows = bench.rows(name)
    scores = bench.cut(head, rows)
    flagged = Counter(row.label for row, score in zip(rows, scores, strict=True) if score >= injection.FLAGGED_FROM)
    return {label: f"{flagged[label]} of {of}" for label, of in sorted(Counter(row.label for row in rows).items())}


def _pooled(sources: Sequence[dict[str, Any]]) -> float:
    """Return the true positive rate at 1 % of false alarms over all attacks of some sources."""
    hits = sum(one["truePositiveRateAt1PercentFalse"] * one["faults"] for one in sources)
    return round(hits / sum(one["faults"] for one in sources), 4)


MEASURES: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "Sentiment": of_sentiment,
    "Distress": of_distress,
    "Toxicity": of_toxicity,
    "PromptInjection": of_injection,
}


def shipped_rates(report: dict[str, Any]) -> dict[str, Any]:
    """Return rows of measured.json: pooled over sets, with each set as a domain."""
    names = {
        "Sentiment": {"GoEmotions test": "GoEmotions"},
        "Distress": {"GoEmotions test": "GoEmotions"},
        "Toxicity": {"moderation": "moderation"},
        "PromptInjection": {name: name for name in SOURCES},
    }
    sets = {
        name: {shown: report[name].get(key) for shown, key in keys.items()}
        for name, keys in names.items()
        if name in report
    }
    return {name: _row(found) for name, found in sets.items() if all(found.values())}


def _row(sets: dict[str, Any]) -> dict[str, Any]:
    def ppm(rate: float) -> int:
        return round(rate * 1e6)

    def pooled(rate: str, of: str) -> int:
        return ppm(sum(one[rate] * one[of] for one in sets.values()) / sum(one[of] for one in sets.values()))

    domains = [
        {
            "name": name,
            "true_positive_ppm": ppm(one["truePositiveRate"]),
            "false_positive_ppm": ppm(one["falsePositiveRate"]),
        }
        for name, one in sets.items()
    ]
    return {
        "true_positive_ppm": pooled("truePositiveRate", "faults"),
        "false_positive_ppm": pooled("falsePositiveRate", "good"),
        "dataset": ", ".join(sets),
        "positives": sum(one["faults"] for one in sets.values()),
        "negatives": sum(one["good"] for one in sets.values()),
        "domains": domains,
    }


def merged(path: Path, rows: dict[str, Any]) -> None:
    """Write some keys of a JSON file, and leave the others."""
    known = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(known | rows, indent=2) + "\n")


def main() -> None:
    """Measure, and write when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", nargs="+", choices=sorted(MEASURES), default=sorted(MEASURES))
    parser.add_argument("--vectors", type=Path)
    options = parser.parse_args()
    bench = Bench(KeptVectors(options.vectors))
    report: dict[str, Any] = {name: MEASURES[name](bench) for name in options.only}
    report["missing"] = sorted(bench.missing)
    bench.embed.save()
    print(json.dumps(report, indent=2))
    if options.write:
        results = Path(__file__).with_name("results.json")
        merged(results, {"heads": json.loads(results.read_text())["heads"] | report})
        merged(Path(measured.__file__).with_name(measured.FILE), shipped_rates(report))


if __name__ == "__main__":
    main()
