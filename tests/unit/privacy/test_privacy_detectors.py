"""A detector is one row: what it finds has the kinds of the row, is masked, and stands in the docs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import privacy_contexts
import privacy_values
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.privacy.detectors import DETECTORS
from modelward.privacy.kinds import KINDS, PERSONAL_KINDS, SECRET_KINDS
from modelward.privacy.redaction import redact
from modelward.privacy.span import Detector, Span

DOCS = Path(__file__).parents[3] / "docs"
_RNG = Random(7)
TEXTS = [
    context(value, _RNG) for value in privacy_values.values(_RNG, 2) for context in privacy_contexts.CONTEXTS.values()
]
TABLE = "name,phone,password,ssn\nann,5551234567,tr0ub4dor&3,536904399\nbob,5557654321,hunter22x,219099999\n"
STATEMENT = "born on 3 May 1971: INSERT INTO people (name, ssn) VALUES ('Ann', '536904399');"
_BADGE = re.compile(r"badge-[0-9]{4}")


def badges(text: str) -> Iterator[Span]:
    """Be a detector of tomorrow."""
    return (Span("BADGE", found.start(), found.end()) for found in _BADGE.finditer(text))


TOY = Detector(badges, ("BADGE",))
EVERY = [*DETECTORS, TOY]


@pytest.mark.parametrize("detector", EVERY, ids=lambda one: one.find.__name__)
class TestEveryDetector:
    def test_calls_what_it_finds_by_the_kinds_of_its_row(self, detector: Detector) -> None:
        found = {span.kind for text in [*TEXTS, TABLE, STATEMENT, "badge-1234"] for span in detector.find(text)}
        assert found
        assert found <= set(detector.kinds)

    def test_finds_nothing_in_nothing(self, detector: Detector) -> None:
        assert [*detector.find(""), *detector.find(" \n")] == []

    @given(st.text(max_size=80))
    def test_finds_places_of_the_text_in_order(self, detector: Detector, text: str) -> None:
        for span in detector.find(text):
            assert 0 <= span.start < span.end <= len(text)


def test_each_kind_has_a_detector_and_a_word_for_readers() -> None:
    assert {kind for detector in DETECTORS for kind in detector.kinds} == set(KINDS)
    assert set(KINDS) == PERSONAL_KINDS | SECRET_KINDS
    assert all(kind.means for kind in KINDS.values())


def test_a_new_row_is_masked_and_those_before_it_name_what_both_find(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelward.privacy.redaction.DETECTORS", [*DETECTORS, TOY])
    result = redact("badge-1234 wrote to ann@example.org")
    assert result.text == "[BADGE] wrote to [EMAIL]"
    assert result.counts == {"BADGE": 1, "EMAIL": 1}


def test_the_docs_list_every_mask() -> None:
    done = subprocess.run(
        [sys.executable, DOCS / "generate-masks", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
