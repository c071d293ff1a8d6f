"""The graph computes what the architecture says, and weights that are not the published ones are not used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from modelward.job import minilm_build
from modelward.job.minilm import MiniLMUnavailableError

pytest.importorskip("onnx")
from modelward.job.minilm_graph import Shape, build_model

Array = NDArray[Any]
TINY = Shape(layers=2, hidden=16, heads=2, epsilon=1e-12)


def random_weights() -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (50, 16),
        "embeddings.position_embeddings.weight": (12, 16),
        "embeddings.token_type_embeddings.weight": (2, 16),
    }
    linear = ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"]
    for layer in (f"encoder.layer.{i}" for i in range(TINY.layers)):
        shapes |= {f"{layer}.{name}.weight": (16, 16) for name in linear}
        shapes |= {f"{layer}.{name}.bias": (16,) for name in linear}
        shapes |= {f"{layer}.intermediate.dense.weight": (32, 16), f"{layer}.intermediate.dense.bias": (32,)}
        shapes |= {f"{layer}.output.dense.weight": (16, 32), f"{layer}.output.dense.bias": (16,)}
        shapes |= {
            f"{layer}.{n}.LayerNorm.{p}": (16,) for n in ("attention.output", "output") for p in ("weight", "bias")
        }
    shapes |= {f"embeddings.LayerNorm.{p}": (16,) for p in ("weight", "bias")}
    return {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def run(tokens: list[list[int]]) -> Any:
    model = build_model({f"bert.{name}": value for name, value in random_weights().items()}, TINY)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"input_ids": np.array(tokens, np.int64)})[0]


def norm(x: Array, weights: Mapping[str, Array], prefix: str) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + TINY.epsilon)
    return scaled * weights[f"{prefix}.weight"] + weights[f"{prefix}.bias"]


def attended(x: Array, weights: Mapping[str, Array], prefix: str) -> Any:
    """Attend with every head of one layer, as Vaswani et al. 2017 write it."""
    query, key, value = (
        (x @ weights[f"{prefix}.{part}.weight"].T + weights[f"{prefix}.{part}.bias"]).reshape(len(x), TINY.heads, -1)
        for part in ("query", "key", "value")
    )
    scores = np.einsum("qhd,khd->hqk", query, key) / np.sqrt(TINY.head_width)
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("hqk,khd->qhd", powers / powers.sum(-1, keepdims=True), value).reshape(len(x), -1)


def embedded_by_numpy(tokens: list[int]) -> Any:
    """Return the vector of the same weights in float64 and without quantisation."""
    weights = {name: value.astype(np.float64) for name, value in random_weights().items()}
    x = weights["embeddings.word_embeddings.weight"][tokens] + weights["embeddings.token_type_embeddings.weight"][0]
    x = norm(x + weights["embeddings.position_embeddings.weight"][: len(tokens)], weights, "embeddings.LayerNorm")
    for prefix in (f"encoder.layer.{i}" for i in range(TINY.layers)):

        def linear(values: Array, name: str, layer: str = prefix) -> Any:
            return values @ weights[f"{layer}.{name}.weight"].T + weights[f"{layer}.{name}.bias"]

        heads = attended(x, weights, f"{prefix}.attention.self")
        x = norm(x + linear(heads, "attention.output.dense"), weights, f"{prefix}.attention.output.LayerNorm")
        wide = linear(x, "intermediate.dense")
        wide = 0.5 * wide * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = norm(x + linear(wide, "output.dense"), weights, f"{prefix}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def test_the_graph_computes_the_published_architecture_up_to_rounding() -> None:
    for tokens in ([3, 9, 4], [9, 3, 4, 4, 49, 0], [7]):
        assert run([tokens])[0] @ embedded_by_numpy(tokens) > 0.9995
    assert run([[3, 9, 4]])[0] @ embedded_by_numpy([9, 3, 4]) < 0.9995, "the order of tokens counts"


def test_a_text_has_the_same_bits_whatever_runs_beside_it() -> None:
    alone, batch = run([[3, 9, 4]]), run([[3, 9, 4], [49, 48, 47], [3, 9, 4]])
    assert np.array_equal(alone[0], batch[0])
    assert np.array_equal(alone[0], batch[2])


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    monkeypatch.setattr(minilm_build, "installed_model", lambda: tmp_path)
    with pytest.raises(MiniLMUnavailableError, match="not the published"):
        minilm_build.build(tmp_path / "out")
