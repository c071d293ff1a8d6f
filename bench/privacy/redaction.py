"""Measure redaction on a labelled sample: what is masked, what is masked wrongly, and how long it takes.

    python bench/privacy/redaction.py [--each N] [--seed N] [--misses]

Prints JSON: recall by kind, by context, and over kinds and contexts that were held out while the detectors were
written; false alarms among harmless texts; the same of the held-out sample (`held_out.py`), whose values, sentences and
data are none of those; milliseconds of CPU per ordinary exchange and per 256 KB of awkward texts.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from held_out import held_out_false_alarms, held_out_recall
from privacy_contexts import CONTEXTS, HELD_OUT_CONTEXTS, HELD_OUT_KINDS
from privacy_harmless import harmless
from privacy_values import values

from modelward.privacy.redaction import redact

SIZE = 256 * 1024
AWKWARD = (
    "000 ",
    "4000 ",
    "1.2.3.4 ",
    "415-555-2671 ",
    "123456789 ",
    "12345678a ",
    "password=",
    "pin 1234 ",
    "pin is ",
    "pw: ",
    "pw: ab12 ",
    "--pass=",
    "dni ",
    "tel 1234567 ",
    "pin: 1",
    "a://b:c@ ",
    "+49 151 12345678 ",
    "eyJ",
    "a@b.co ",
    "\\n",
    "\u200b",
    "漢字",
)


def recall(each: int, seed: int, show: bool) -> dict[str, Any]:
    """Put every value in every context and count what is masked."""
    rng = Random(seed)
    kinds, contexts = Counter[tuple[str, bool]](), Counter[tuple[str, bool]]()
    held, seen = Counter[bool](), Counter[bool]()
    for value in values(rng, each):
        for name, context in CONTEXTS.items():
            text = context(value, rng)
            found = not value.is_left_in(redact(text).text)
            kinds[value.name, found] += 1
            contexts[name, found] += 1
            (held if name in HELD_OUT_CONTEXTS or value.name in HELD_OUT_KINDS else seen)[found] += 1
            if show and not found:
                sys.stderr.write(f"MISS {value.name} {name}: {text!r} -> {redact(text).text!r}\n")
    return {
        "all": _share(held + seen), "developed on": _share(seen), "held out": _share(held),
        "kinds": {kind: _share(_of(kinds, kind)) for kind in sorted({name for name, _ in kinds})},
        "contexts": {name: _share(_of(contexts, name)) for name in CONTEXTS},
    }  # fmt: skip


def false_alarms(each: int, seed: int, show: bool) -> dict[str, Any]:
    """Count harmless texts in which something is masked."""
    texts = harmless(Random(seed), each)
    wrong = [(text, redact(text).text) for text in texts if redact(text).findings]
    if show:
        sys.stderr.writelines(f"FALSE ALARM {text!r} -> {masked!r}\n" for text, masked in wrong)
    return {"texts": len(texts), "mistaken": len(wrong), "share": round(len(wrong) / len(texts), 4)}


def times() -> dict[str, float]:
    """Measure milliseconds of CPU: an ordinary exchange (1 KB asked, 2 KB answered), 256 KB of each awkward text."""
    prose = (
        "Could you summarise the meeting of 17 May 2026? We talked about version 2.1, budgets and the new office. " * 10
    )
    answer = (
        "Of course. The meeting had three parts: 1. the budget of 12,000 euros, 2. the move, 3. hiring for two teams. "
        * 20
    )
    rows = {"ordinary exchange": min(_milliseconds(prose) + _milliseconds(answer) for _ in range(20))}
    return rows | {
        repr((unit * SIZE)[:16]): min(_milliseconds((unit * SIZE)[:SIZE]) for _ in range(3)) for unit in AWKWARD
    }


def _milliseconds(text: str) -> float:
    began = time.process_time()
    redact(text)
    return round((time.process_time() - began) * 1000, 2)


def _of(counts: Counter[tuple[str, bool]], name: str) -> Counter[bool]:
    return Counter({found: counts[name, found] for found in (True, False)})


def _share(found: Counter[bool]) -> dict[str, Any]:
    total = found[True] + found[False]
    return {"values": total, "masked": found[True], "recall": round(found[True] / total, 4) if total else 1.0}


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--each", type=int, default=8, help="values of each kind, and texts of each harmless kind")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--misses", action="store_true", help="print what is missed, and false alarms")
    chosen = options.parse_args()
    result = {
        "recall": recall(chosen.each, chosen.seed, chosen.misses),
        "false alarms": false_alarms(chosen.each, chosen.seed + 1, chosen.misses),
        "held_out": {
            "recall": held_out_recall(chosen.each, 4, chosen.seed, show=chosen.misses),
            "false alarms": held_out_false_alarms(chosen.each, chosen.seed + 1, show=chosen.misses),
        },
        "milliseconds": times(),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
