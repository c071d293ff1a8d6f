"""Composed samples: each once, the same on every machine, and no text on both sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelward.job.training.composed_attacks import composed_attacks
from modelward.job.training.composed_harm import composed_harm
from modelward.job.training.composed_requests import composed_requests
from modelward.job.training.labelled_sets import COMPOSED_ATTACKS, COMPOSED_HARM, SETS, digest
from modelward.job.training.slots import filled


def test_every_slot_is_filled_and_no_sentence_comes_twice() -> None:
    found = list(filled(("a {x}", "b {x} {y}"), {"x": ("1", "2", "{y}"), "y": ("3", "4")}, 60))
    assert len(found) == len(set(found))
    assert set(found) <= {f"a {x}" for x in "1234"} | {f"b {x} {y}" for x in "1234" for y in "34"}
    assert len(found) >= 8


def test_all_fillings_are_used() -> None:
    found = " ".join(filled(("{x}{y}",), {"x": tuple("abcdefg"), "y": tuple("hijklmn")}, 60))
    assert set(found) >= set("abcdefghijklmn")


def test_attacks_and_requests_have_no_text_in_common() -> None:
    attacks, requests = set(composed_attacks()), set(composed_requests())
    assert len(attacks) > 1_000 < len(requests)
    assert not attacks & requests


def test_a_group_is_named_in_harmless_texts_as_well_as_in_hateful_ones() -> None:
    rows = list(composed_harm())
    for group in ("women", "Jews", "Muslims", "Black people", "gay men", "disabled people"):
        assert {label for text, label in rows if group in text} == {"hate", "harmless"}


@pytest.mark.parametrize("name", [COMPOSED_ATTACKS, COMPOSED_HARM])
def test_the_rows_of_a_composed_set_are_the_same_each_time(name: str, tmp_path: Path) -> None:
    assert digest(SETS[name].rows(tmp_path)) == digest(SETS[name].rows(tmp_path))
