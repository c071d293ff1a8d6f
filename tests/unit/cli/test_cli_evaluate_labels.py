"""`modelward evaluate --labels` says how good an evaluator is, and what to paste so that verdicts know it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from typer.testing import CliRunner, Result

from modelward.api.exchange import Exchange, Message, Redaction, exchange_to_json
from modelward.cli.app import app
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.evaluate.evaluators.topic_scope import TopicConfig
from modelward.job.installed import catalogue
from modelward.job.minilm import MODEL_FILE, default_directory

BASE = Exchange(
    "e0", 1, "retail/chat", "m", "r", "chat", 200, "ok", "Redacted", (Message("user", "Where?"),), "Under Cards."
)
LEAK = (Redaction("IBAN", 1, "response"),)
with_model = pytest.mark.skipif(
    not (default_directory() / MODEL_FILE).exists(),
    reason="the embedding model is not built: modelward evaluators prepare",
)


def judged(
    folder: Path, exchanges: Sequence[Exchange], labels: Sequence[object], evaluator: object, *options: str
) -> Result:
    """Run an evaluator over exchanges with labels."""
    (folder / "evaluator.yaml").write_text(json.dumps(evaluator))
    (folder / "in.jsonl").write_text("".join(f"{json.dumps(exchange_to_json(one))}\n" for one in exchanges))
    (folder / "labels.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in labels))
    files = {"evaluator": "evaluator.yaml", "input": "in.jsonl", "output": "out.jsonl", "labels": "labels.jsonl"}
    given = [part for name, file in files.items() for part in (f"--{name}", str(folder / file))]
    return CliRunner().invoke(app, ["evaluate", *given, *options], env={"COLUMNS": "300"})


def leaks(*numbers: int, count: int = 100) -> list[Exchange]:
    return [replace(BASE, id=f"e{n}", redactions=LEAK if n in numbers else ()) for n in range(count)]


def labels_of(faults: Sequence[int], groups: str = "", count: int = 100) -> list[dict[str, str]]:
    return [
        {"id": f"e{n}", "label": "fault" if n in faults else "ok"}
        | ({"group": groups[n % len(groups)]} if groups else {})
        for n in range(count)
    ]


def test_rates_are_printed_with_their_intervals_and_counts(tmp_path: Path) -> None:
    done = judged(tmp_path, leaks(*range(2, 24)), labels_of(range(20)), {"builtin": "PII"})
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["PII:", "100", "labelled", "exchanges", "scored,", "20", "at", "fault"] in lines
    assert ["faults", "found", "(TPR)", "90%", "(70-97)", "18", "of", "20"] in lines
    assert ["false", "alarms", "(FPR)", "5%", "(2-12)", "4", "of", "80"] in lines
    assert ["precision", "82%", "(61-93)", "18", "of", "22"] in lines
    assert ["F1", "0.86", "(0.71-0.94)"] in lines
    assert any(line[:4] == ["AUC", "of", "the", "value"] for line in lines)
    assert "  # 90% (68-99) found, 5% (1.4-12) false alarms; right unless something was chosen or trained on these" in (
        done.stdout
    )
    assert "this evaluator takes no calibration" in done.stdout


def test_a_group_with_more_false_alarms_is_named(tmp_path: Path) -> None:
    labels = labels_of(range(60, 100), groups="ab")
    done = judged(tmp_path, leaks(*range(60, 100), *range(0, 30, 2)), labels, {"builtin": "PII"})
    assert "  a  50% (33-67)  15 of 30  more than the others\n  b  0% (0-11)    0 of 30\n" in done.stdout


def test_labels_that_cannot_count_are_told(tmp_path: Path) -> None:
    labels: list[object] = [
        *labels_of(range(20)),
        *[{"id": "e0", "label": "ok"}, {"id": "e1", "label": "fault"}, {"id": "gone", "label": "ok"}],
        *[{"id": "e98", "label": "unsure"}, {"id": "x", "label": "unsure"}, {"id": 7, "label": "ok"}, "ok"],
    ]
    exchanges = [*leaks(2), replace(BASE, id="e3", outcome="error")]
    exchanges[4] = replace(BASE, id="e4", outcome="error")
    done = judged(tmp_path, exchanges, labels, {"builtin": "PII"})
    assert done.exit_code == 1
    assert "labels.jsonl:106: not a label: id must be text" in done.stderr
    assert "labels.jsonl:107: " in done.stderr
    assert (
        "102 exchanges are labelled; 1 of them are not in the input; 1 are neither fault nor ok;"
        " 3 were labelled again, 2 of them otherwise, which leaves them out"
    ) in done.stdout
    assert "97 labelled exchanges scored, 18 at fault" in done.stdout
    assert "labelled and not applicable: 1, of them at fault: 1" in done.stdout


def test_a_label_for_one_evaluator_says_nothing_of_another(tmp_path: Path) -> None:
    labels = [{**one, "evaluator": "other"} for one in labels_of(range(20))] + [{"id": "e2", "label": "fault"}]
    done = judged(tmp_path, leaks(2), labels, {"builtin": "PII"})
    assert "PII: 1 labelled exchanges scored, 1 at fault" in done.stdout


@pytest.mark.parametrize(("count", "faults"), [(49, 20), (100, 14), (100, 90)])
def test_few_labels_give_no_calibration_but_their_rates(tmp_path: Path, count: int, faults: int) -> None:
    done = judged(tmp_path, leaks(2, count=count), labels_of(range(faults), count=count), {"builtin": "PII"})
    assert done.exit_code == 0
    assert f"no calibration: {count} labelled exchanges were scored, {faults} at fault" in done.stdout
    assert "a calibration needs 50, with 15 of each" in done.stdout
    assert "faults found (TPR)" in done.stdout


def test_flags_that_have_nothing_to_do_with_the_labels_give_no_calibration(tmp_path: Path) -> None:
    done = judged(tmp_path, leaks(*range(50, 100)), labels_of(range(20)), {"builtin": "PII"})
    assert "no calibration: it flags faults no more often than good exchanges" in done.stdout


QUESTIONS = ("How do I block my card?", "What is my account balance?", "Can I raise my card limit?")
OTHERS = ("How do I bake sourdough bread?", "Who won the football match?", "Write a poem about the sea.")


@with_model
@pytest.mark.parametrize("threshold", ["auto", "0.2"])
def test_a_calibration_is_pasted_as_it_is_printed(tmp_path: Path, threshold: str) -> None:
    exchanges = [
        replace(BASE, id=f"e{n}", messages=(Message("user", f"{(OTHERS if n < 30 else QUESTIONS)[n % 3]} ({n})"),))
        for n in range(90)
    ]
    config = {"inScope": ["questions about bank accounts and cards"], "threshold": threshold}
    evaluator = {"builtin": "OffTopicAnswered", "config": config}
    curve = tmp_path / "curve.svg"
    done = judged(tmp_path, exchanges, labels_of(range(30), count=90), evaluator, "--curve", str(curve))
    assert done.exit_code == 0, done.output
    block = yaml.safe_load(done.stdout.partition("paste into the evaluator's config:\n")[2].partition("\n\n")[0])
    pasted = TopicConfig.model_validate({**config, **block})
    assert pasted.calibration is not None
    assert (pasted.calibration.positives, pasted.calibration.negatives) == (30, 60)
    assert ("threshold" in block) == (threshold == "auto"), "a threshold of the user's own stays"
    root = ET.fromstring(curve.read_text())  # noqa: S314
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert texts[0] == "OffTopicAnswered: share at fault by value"
    assert any(one.startswith("threshold ") for one in texts) == (threshold == "auto")
    drawn = [line for line in done.stdout.splitlines() if "●" in line]
    assert len(drawn) == len([element for element in root.iter() if element.tag.endswith("circle")]) >= 2


def test_a_curve_needs_labels(tmp_path: Path) -> None:
    given = ["evaluate", "--evaluator", "x.yaml", "--input", "x", "--output", "y", "--curve", "c.svg"]
    done = CliRunner().invoke(app, given)
    assert (done.exit_code, "--curve needs --labels" in done.stderr) == (2, True)


TOXIC = ("You people are vermin and should all be killed.", "I hate every one of you, you disgusting filth.")
PLAIN = ("Your card is on its way.", "The branch opens at nine.", "A transfer takes one day.")


@with_model
@pytest.mark.parametrize("threshold", ["auto", "0.3"])
def test_a_head_takes_the_calibration_that_is_printed_for_it(tmp_path: Path, threshold: str) -> None:
    exchanges = [replace(BASE, id=f"e{n}", response=f"{(TOXIC if n < 30 else PLAIN)[n % 2]} ({n})") for n in range(90)]
    evaluator = {"builtin": "Toxicity", "config": {"threshold": threshold}}
    done = judged(tmp_path, exchanges, labels_of(range(30), count=90), evaluator)
    assert done.exit_code == 0, done.output
    block = yaml.safe_load(done.stdout.partition("paste into the evaluator's config:\n")[2].partition("\n\n")[0])
    found = catalogue().resolve(EvaluatorBlock("builtin", "Toxicity", {"threshold": threshold, **block}))
    assert isinstance(found, ResolvedEvaluator)
    assert (found.facts.positives, found.facts.negatives) == (30, 60)
    assert found.facts.true_positive_ppm > found.facts.false_positive_ppm
