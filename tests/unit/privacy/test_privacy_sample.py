"""Every kind of value is masked in every context, and what only looks like one is left alone."""

from __future__ import annotations

import re
from random import Random

import privacy_contexts
import privacy_harmless
import privacy_secrets
import privacy_values
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.privacy.kinds import PERSONAL_KINDS, SECRET_KINDS
from modelward.privacy.redaction import redact

KINDS = sorted({value.name for value in privacy_values.values(Random(0), 1)})


@pytest.mark.parametrize("kind", KINDS)
def test_a_valid_value_of_each_kind_is_masked_in_every_context(kind: str) -> None:
    rng = Random(kind)
    for value in (v for v in privacy_values.values(rng, 5) if v.name == kind):
        for name, context in privacy_contexts.CONTEXTS.items():
            text = context(value, rng)
            result = redact(text)
            assert not value.is_left_in(result.text), f"{name}: {text!r} -> {result.text!r}"
            assert value.masks & {finding.kind for finding in result.findings}, f"{name}: {text!r} -> {result.text!r}"


def test_at_most_two_of_a_hundred_harmless_texts_are_touched() -> None:
    texts = privacy_harmless.harmless(Random(5), 8)
    touched = [(text, redact(text).text) for text in texts if redact(text).findings]
    assert len(texts) >= 300
    assert len(touched) <= 0.02 * len(texts), touched


_VALUES = privacy_values.values(Random(2), 2)
_ANY = st.one_of(
    st.text(max_size=12),
    st.sampled_from([value.text for value in _VALUES] + [*privacy_secrets.PASSWORD_WORDS, *privacy_values.PHONE_WORDS]),
    st.sampled_from(privacy_harmless.harmless(Random(3), 1)),
    st.sampled_from([" ", "\n", "\\n", "-", "/", "\u200b", "\u00a0", "[EMAIL]", '"', ": ", "=", "["]),
)


@given(st.lists(_ANY, max_size=8).map("".join))
@settings(max_examples=200)
def test_redaction_never_raises_and_a_second_time_changes_nothing(text: str) -> None:
    once = redact(text)
    assert {finding.kind for finding in once.findings} <= PERSONAL_KINDS | SECRET_KINDS
    again = redact(once.text)
    assert (again.text, again.findings) == (once.text, ())


def test_masks_are_named_after_what_they_hide() -> None:
    masks = {mask for value in _VALUES for mask in re.findall(r"\[([A-Z_]+)\]", redact(value.text).text)}
    assert masks <= PERSONAL_KINDS | SECRET_KINDS
