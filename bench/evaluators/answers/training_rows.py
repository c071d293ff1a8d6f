"""Put small models' labelled answers into the package, for `modelward evaluators train`.

    python bench/evaluators/answers/training_rows.py

A refusal is one, every other whole answer is none; partial refusals and what is not in English are left out, and so
are those of the assistants that came last (`check`), by which the head is measured. Those that an earlier head was
measured by (`checked`) are in.
"""

from __future__ import annotations

import json
from pathlib import Path

from modelward.job import training
from modelward.job.training.labelled_sets import ANSWERS_FILE

ANSWERS = Path(__file__).with_name("answers.jsonl")
LABELS = {"refused": "refusal", "answered": "answer", "counter-question": "answer", "neither": "answer"}


def training_rows() -> list[tuple[str, str, str]]:
    """Return answers that heads may learn from, with refusal or answer, and the question."""
    rows = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
    ours = [row for row in rows if row["split"] != "check" and row["label"] in LABELS]
    return [(row["answer"], LABELS[row["label"]], row["question"]) for row in ours]


def main() -> None:
    """Write the file."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in training_rows()]
    Path(training.__file__).with_name(ANSWERS_FILE).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
