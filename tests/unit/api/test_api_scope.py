"""What is known of a scope as it goes over the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.scope import (
    MAX_EXAMPLES,
    MAX_LINES,
    ScopeFacts,
    is_scope_key,
    scope_facts_from_json,
    scope_facts_to_json,
)

KNOWN = ScopeFacts(0.12, 20, (3,), 18, 2, (0, 1), 158, 0.8, 0.05)
SHARES = st.floats(0, 1) | st.none()


@st.composite
def facts(draw: st.DrawFn) -> ScopeFacts:
    examples = draw(st.integers(0, MAX_EXAMPLES))
    out = draw(st.sets(st.integers(0, MAX_EXAMPLES - 1), max_size=examples))
    templates = draw(st.integers(0, 20_000))
    lines = draw(st.sets(st.integers(0, MAX_LINES - 1)))
    share = draw(SHARES)
    return ScopeFacts(
        draw(st.floats(-2, 2)), examples, tuple(sorted(out)), templates, draw(st.integers(0, templates)),
        tuple(sorted(lines)), draw(st.integers(0, 500)), share, None if share is None else draw(st.floats(0, 1)),
    )  # fmt: skip


@given(facts())
def test_facts_come_back_as_they_went_and_are_small(given_facts: ScopeFacts) -> None:
    text = json.dumps(scope_facts_to_json(given_facts))
    assert scope_facts_from_json(json.loads(text)) == given_facts
    assert len(text) < 2_048
    assert given_facts.fallen <= given_facts.questions


@pytest.mark.parametrize(
    "changes",
    [
        {"form": 2},
        {"threshold": float("nan")},
        {"examples_out": [200]},
        {"examples_out": [-1]},
        {"lines_out": [64]},
        {"examples": 0},
        {"templates_out": 19},
        {"caught": 1.5},
        {"lost": None},
        {"probes": "many"},
    ],
)
def test_what_cannot_be_facts_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each has a message of its own
        scope_facts_from_json({**scope_facts_to_json(KNOWN), **changes})


def test_a_key_that_a_later_version_adds_does_no_harm() -> None:
    assert scope_facts_from_json({**scope_facts_to_json(KNOWN), "later": True}) == KNOWN


@pytest.mark.parametrize(("text", "good"), [("0a" * 16, True), ("0A" * 16, False), ("../" + "0" * 29, False)])
def test_a_key_is_safe_as_a_path(text: str, good: bool) -> None:
    assert is_scope_key(text) is good
