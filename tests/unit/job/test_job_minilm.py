"""A vector depends on its text and on nothing else: not on batch, order, neighbours, threads or processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from modelward.job.minilm import MODEL_FILE, default_directory, embed

pytestmark = pytest.mark.skipif(
    not (default_directory() / MODEL_FILE).is_file(),
    reason="the embedding model is not built: modelward evaluators prepare",
)
TEXTS = ("where is my card", "", "how do I bake a cake " * 6, "مرحبا", "\U0001f600" * 9, "My salary hasn't landed yet")


@cache
def alone(text: str) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = embed([text])[0]
    return vector


@given(st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=40)), min_size=1, max_size=4))
@settings(max_examples=8, deadline=None)
def test_a_vector_depends_on_nothing_but_its_text(texts: Sequence[str]) -> None:
    vectors = embed(texts)
    for text, vector in zip(texts, vectors, strict=True):
        assert np.array_equal(alone(text), vector)


def test_threads_that_embed_at_once_get_what_each_gets_alone() -> None:
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(embed, [TEXTS, TEXTS[::-1], TEXTS, TEXTS[::-1]]):
            assert {v.tobytes() for v in vectors} == {alone(text).tobytes() for text in TEXTS}


def test_another_process_gets_the_same_bits() -> None:
    code = "import sys; from modelward.job.minilm import embed; print(embed(sys.argv[1:]).tobytes().hex())"
    done = subprocess.run([sys.executable, "-c", code, TEXTS[0]], capture_output=True, text=True, check=True)
    assert bytes.fromhex(done.stdout) == alone(TEXTS[0]).tobytes()
