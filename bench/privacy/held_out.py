"""Measure redaction on the held-out sample: values, sentences and data that the detectors were not written from.

    python bench/privacy/held_out.py [--each N] [--places N] [--seed N] [--misses]

Prints JSON: recall by kind and by context, of the sealed contexts alone, and false alarms among harmless texts.
A value counts as masked if no six of its letters and digits in a row are left. `--misses` prints what is missed in
contexts that are not sealed.
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from collections import Counter
from html import unescape
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

sys.path.insert(0, str(Path(__file__).parent))

from held_out_contexts import SEALED, places_of
from held_out_harmless import held_out_harmless
from held_out_values import held_out_values

from modelward.privacy.redaction import redact

LEFT = 6
"""So many letters and digits of a value in a row tell it."""


def plain(text: str) -> str:
    """Leave the letters and digits that a reader sees."""
    text = unescape(unquote(text))
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).lower() if sign.isalnum())


def is_left(value: str, masked: str) -> bool:
    """Return whether a reader of the masked text still knows the value."""
    whole, left = plain(value), plain(masked)
    size = min(LEFT, len(whole))
    return any(whole[at : at + size] in left for at in range(len(whole) - size + 1))


def held_out_recall(each: int, places: int, seed: int, *, show: bool = False) -> dict[str, Any]:
    """Put every value in some sentences and as many other contexts, and count what is masked."""
    rng = Random(seed)
    counts: dict[str, Counter[tuple[str, bool]]] = {"kinds": Counter(), "contexts": Counter(), "sealed": Counter()}
    for value in held_out_values(rng, each):
        for name, place in places_of(value, rng, places):
            text = place(value, rng)
            masked = redact(text).text
            found = not is_left(value.told_by, masked)
            counts["kinds"][value.name, found] += 1
            counts["contexts"][name, found] += 1
            counts["sealed"]["sealed" if name in SEALED else "open", found] += 1
            if show and not found and name not in SEALED:
                sys.stderr.write(f"MISS {value.name} [{name}]: {text!r} -> {masked!r}\n")
    tables = {table: _shares(found) for table, found in counts.items()}
    return {
        "all": _shares(Counter({("all", found): _total(counts, found) for found in (True, False)}))["all"],
        **tables,
    }


def held_out_false_alarms(each: int, seed: int, *, show: bool = False) -> dict[str, Any]:
    """Count harmless texts in which something is masked."""
    texts = held_out_harmless(Random(seed), each)
    wrong = [(text, redact(text).text) for text in texts if redact(text).findings]
    if show:
        sys.stderr.writelines(f"FALSE ALARM {text!r} -> {masked!r}\n" for text, masked in wrong)
    return {"texts": len(texts), "mistaken": len(wrong), "share": round(len(wrong) / len(texts), 4)}


def _total(counts: dict[str, Counter[tuple[str, bool]]], found: bool) -> int:
    return sum(count for (_, hit), count in counts["kinds"].items() if hit is found)


def _shares(counts: Counter[tuple[str, bool]]) -> dict[str, Any]:
    shares = {}
    for name in dict.fromkeys(name for name, _ in counts):
        hit, total = counts[name, True], counts[name, True] + counts[name, False]
        shares[name] = {"values": total, "masked": hit, "recall": round(hit / total, 4)}
    return shares


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--each", type=int, default=8, help="values of each kind, and texts of each harmless form")
    options.add_argument("--places", type=int, default=4, help="sentences for each value, and as many other contexts")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--misses", action="store_true", help="print what is missed, and false alarms")
    chosen = options.parse_args()
    result = {
        "recall": held_out_recall(chosen.each, chosen.places, chosen.seed, show=chosen.misses),
        "false alarms": held_out_false_alarms(chosen.each, chosen.seed + 1, show=chosen.misses),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
