"""Measure what the redaction finds of structured personal data in a labelled set.

    python bench/privacy/structured.py

Prints JSON: per kind how many values there are, how many are masked whole, and how many findings are no value at all.
Needs the labelled set (MODELWARD_DATA): presidio-research's synth_dataset_v2.json, 1,500 synthetic texts (MIT).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelward.privacy import kinds
from modelward.privacy.reading import reading_of
from modelward.privacy.redaction import found_in
from modelward.privacy.span import Span

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MODELWARD_DATA", ROOT.parent / "shared" / "data"))
"""The labelled sets; without the variable, the folder shared/data beside the checkout."""
SET = DATA / "eval" / "presidio-research" / "synth_dataset_v2.json"
KINDS = {
    "EMAIL_ADDRESS": kinds.EMAIL,
    "CREDIT_CARD": kinds.CARD,
    "IBAN_CODE": kinds.IBAN,
    "US_SSN": kinds.US_SSN,
    "IP_ADDRESS": kinds.IP_ADDRESS,
    "PHONE_NUMBER": kinds.PHONE,
    "US_DRIVER_LICENSE": kinds.NATIONAL_ID,
}
"""Labels of the set, and what the redaction calls them; the set's other labels are not looked for."""
DATES = "DATE_TIME"
"""Dates of any kind, those of birth among them: a date that is masked is no mistake, one that is not is no miss."""


def labelled(row: dict[str, Any]) -> Iterator[Span]:
    """Yield the values that a detector should find in one text."""
    for span in row["spans"]:
        if span["entity_type"] in KINDS:
            yield Span(KINDS[span["entity_type"]], span["start_position"], span["end_position"])


def masked_whole(value: Span, found: list[Span]) -> bool:
    """Return whether no character of a value is left, whatever the findings call it."""
    hidden = {position for span in found for position in range(span.start, span.end)}
    return hidden.issuperset(range(value.start, value.end))


def overlap(found: Span, value: Span) -> bool:
    """Return whether a finding has anything to do with a value."""
    return found.start < value.end and value.start < found.end


def main() -> None:
    """Measure and print."""
    rows = json.loads(SET.read_text())
    values, masked, mistaken = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        wanted = list(labelled(row))
        reading = reading_of(row["full_text"])
        found = reading.written_spans(found_in(reading.text))
        values.update(value.kind for value in wanted)
        masked.update(value.kind for value in wanted if masked_whole(value, found))
        known = wanted + [
            Span(DATES, span["start_position"], span["end_position"])
            for span in row["spans"]
            if span["entity_type"] == DATES
        ]
        mistaken.update(span.kind for span in found if not any(overlap(span, value) for value in known))
    names = sorted({*values, *mistaken})
    table = {kind: {"values": values[kind], "masked": masked[kind], "mistaken": mistaken[kind]} for kind in names}
    print(json.dumps({"dataset": SET.name, "texts": len(rows), "kinds": table}, indent=2))


if __name__ == "__main__":
    main()
