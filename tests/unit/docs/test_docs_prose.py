"""Code and pages are written in plain words: no `somebody`, no `look` as a noun, no `, for` that means `because`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLACES = ("src", "docs", "helm", "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
_STEP = r"((?!that |which |to )[^\s;,.:]+ )"
WORDS = {
    "Somebody took the sidecar out": r"\b((some|no|any)body|(some|any)one|no one)\b",
    "what one look at it says": r"\b(an?|one|each|every|the|this|next|last|first|another) looks?\b(?!-up| up| like)",
    "it stays, for it is theirs": r", for (it|they|nothing|there|then) ",
    "it waits, for an Event must not fail": rf", for \w+ {_STEP}{{1,4}}(is|are|was|has|may|must|cannot|would|does)\b",
    "the settings of before": r"\b(settings|pods|stores|objects|state) of before\b",
}
"""What each expression finds, and the expression."""


def lines() -> Iterator[tuple[str, str]]:
    """Yield each line of the prose, with where it stands."""
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*")) if (ROOT / place).is_dir() else [ROOT / place]:
            # Labelled samples quote what people write, and composed ones imitate it.
            if path.name.endswith("_samples.py") or path.name.startswith("composed_"):
                continue
            if path.is_file() and path.suffix in ("", ".md", ".py", ".yaml", ".tpl", ".json", ".txt"):
                text = path.read_text(encoding="utf-8")
                yield from ((f"{path.relative_to(ROOT)}:{n}", line) for n, line in enumerate(text.splitlines(), 1))


@pytest.mark.parametrize("example", WORDS)
def test_no_line_says_it_in_these_words(example: str) -> None:
    unwanted = re.compile(WORDS[example], re.IGNORECASE)
    assert unwanted.search(example)
    assert [f"{where}: {line.strip()}" for where, line in lines() if unwanted.search(line)] == []
